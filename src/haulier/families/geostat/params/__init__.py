"""What the kinds of geostatistics take: typed, described, and checked without reading data."""
