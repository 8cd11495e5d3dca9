"""`update-sync sandbox`."""
