"""Block models: columns over the blocks of a regular lattice, written and read by jobs."""

from haulier.families.blocks.family import FAMILY

__all__ = ["FAMILY"]
