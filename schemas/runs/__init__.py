"""Runs, and the result of each user in a run."""
