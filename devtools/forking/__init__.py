"""Starts `update-sync` commands as forks of processes that have imported them, for tests that start many."""
