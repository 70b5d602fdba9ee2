"""What callers may ask of each step, checked while it is decoded."""
