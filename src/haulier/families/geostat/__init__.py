"""Geostat: kriging, simulation and their companions over geoscience objects."""
