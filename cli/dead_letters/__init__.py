"""`update-sync dead-letters`."""
