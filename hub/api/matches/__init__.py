"""Matches that a person decides, for programs: what waits, what an answer would do, and the answer."""
