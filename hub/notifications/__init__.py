"""Notifications as mail: their words, and the repair list."""
