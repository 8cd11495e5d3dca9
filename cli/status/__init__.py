"""`update-sync status`: all tenants on one screen."""
