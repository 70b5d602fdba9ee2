"""Geostatistics: kriging, simulation and variography over geoscience objects."""

from haulier.families.geostat.family import FAMILY

__all__ = ["FAMILY"]
