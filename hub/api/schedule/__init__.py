"""The schedule, for programs: what it is, when runs would be due, changed and paused."""
