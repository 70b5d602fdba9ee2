"""The steps of the family: each joins parameters, files and methods."""
