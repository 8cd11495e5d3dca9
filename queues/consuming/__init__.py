"""Processes and threads that take messages: how they start, share and stop."""
