"""Matches that a person decides: the list, both sides of one, and the decisions."""
