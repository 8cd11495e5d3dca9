"""`update-sync keys` and `update-sync new-key`."""
