"""Geoscience objects as they are kept: documents, tables of values, and the geometry they mean."""
