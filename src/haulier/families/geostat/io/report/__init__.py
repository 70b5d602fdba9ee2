"""One HTML page with plots and numbers, and the plots by themselves; it needs no network.

What is imported from here loads no matplotlib; the modules that draw do, and are named.
"""

from haulier.families.geostat.io.report.document import Figure, Report, Section, Table
from haulier.families.geostat.io.report.page import render

__all__ = ["Figure", "Report", "Section", "Table", "render"]
