"""Matches: what waits for a decision, both sides of one, decisions."""
