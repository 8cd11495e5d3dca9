"""The settings of a tenant on the command line."""
