"""Users: look-up, sync status, explanation."""
