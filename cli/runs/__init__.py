"""`update-sync runs` and `update-sync trigger`."""
