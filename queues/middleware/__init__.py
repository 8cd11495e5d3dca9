"""Middleware around the processing of each message."""
