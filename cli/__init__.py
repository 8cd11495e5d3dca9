"""Where people come in: the `update-sync` command."""
