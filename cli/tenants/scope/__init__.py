"""The scope of a tenant on the command line."""
