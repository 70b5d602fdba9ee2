"""Steps of block models: they join parameters, files and method."""
