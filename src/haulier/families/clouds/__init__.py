"""Clouds: recipes of steps over point clouds."""
