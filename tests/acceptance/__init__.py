"""What whole servers do, for callers of every kind; the servers end with this folder's tests."""
