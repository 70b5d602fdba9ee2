"""Haulier: a self-hosted job platform for long-running data and geospatial work."""

__version__ = "0.1.0"
