"""What a report of geostatistics shows: its plots, and the numbers behind them.

What is imported from here loads no matplotlib; the modules that draw do, and are named.
"""

from haulier.families.reporting import Figure, Report, Section, Table, render

__all__ = ["Figure", "Report", "Section", "Table", "render"]
