"""Runs, their pages and their sums."""
