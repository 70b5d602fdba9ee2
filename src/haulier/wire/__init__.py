"""What callers speak to: dialects, and what all of them share."""
