"""What the report of a cloud says: what was seen, and the sections made of it."""
