"""Runs: requests and the wait for their end, details, undo."""
