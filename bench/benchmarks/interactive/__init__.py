"""Measures what a person waits for."""
