"""`update-sync matches`."""
