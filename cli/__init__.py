"""The `update-sync` command."""
