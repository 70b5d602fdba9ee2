"""A real network to try road matching on: a release, a customer's copy of it, and the truth."""

from haulier.families.roads.demo.judge import judge
from haulier.families.roads.demo.make import DemoFiles, make_demo
from haulier.families.roads.demo.osm import packaged_extract

__all__ = ["DemoFiles", "judge", "make_demo", "packaged_extract"]
