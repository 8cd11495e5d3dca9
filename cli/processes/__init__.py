"""`update-sync worker`, `producer` and `scheduler`."""
