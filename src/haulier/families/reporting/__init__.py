"""Reports of any family: one HTML page with plots and numbers that needs no network.

What is imported from here loads no matplotlib; `canvas`, which plots are drawn on, does.
"""

from haulier.families.reporting.document import Caution, Figure, Report, Section, Table
from haulier.families.reporting.page import render

__all__ = ["Caution", "Figure", "Report", "Section", "Table", "render"]
