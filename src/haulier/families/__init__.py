"""Kinds of real work: one folder a family, all of one inner shape."""
