"""Runs, and what became of each user in them."""
