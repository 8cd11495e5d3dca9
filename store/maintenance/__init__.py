"""Pruning, and what operators did."""
