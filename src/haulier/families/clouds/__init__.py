"""Point clouds: moved, checked, cut, cleaned, and built into rasters and octrees."""

from haulier.families.clouds.family import FAMILY

__all__ = ["FAMILY"]
