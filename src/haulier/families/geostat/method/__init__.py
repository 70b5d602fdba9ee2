"""Geostatistics as pure science: arrays in, arrays out, no files."""
