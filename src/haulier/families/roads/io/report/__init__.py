"""One HTML page with a map, the statistics and a histogram; it needs no network."""

from haulier.families.roads.io.report.mapdata import MapData, map_data
from haulier.families.roads.io.report.page import write_report

__all__ = ["MapData", "map_data", "write_report"]
