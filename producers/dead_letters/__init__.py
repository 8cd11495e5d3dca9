"""Replaying and discarding dead letters."""
