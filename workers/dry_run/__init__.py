"""Shows what a sync would do to a user; writes nothing."""
