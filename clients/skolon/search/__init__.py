"""Searches Skolon's users."""
