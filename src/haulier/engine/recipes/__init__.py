"""Recipes of callers: graphs of typed steps, checked as a whole, and compiled to what runs."""
