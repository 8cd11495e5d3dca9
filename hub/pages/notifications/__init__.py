"""Notifications: their settings, a test, what was told, and the repair list."""
