"""Point clouds as pure science: arrays in, arrays out, no files."""
