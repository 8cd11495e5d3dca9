"""Setting up a sync in a school's words."""
