"""The command line; its server ends with this folder's tests."""
