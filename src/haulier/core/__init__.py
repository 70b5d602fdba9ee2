"""Nouns and rules: standard library and msgspec only, imports nothing of ours."""
