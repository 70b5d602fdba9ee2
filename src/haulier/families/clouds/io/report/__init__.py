"""What the report of a cloud shows: maps of it from above, and plots of its points.

What is imported from here loads no matplotlib; the modules that draw do.
"""
