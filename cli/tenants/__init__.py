"""`update-sync tenants`."""
