"""Triggers runs by schedule."""
