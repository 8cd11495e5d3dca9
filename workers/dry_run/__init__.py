"""What a sync would do to one user, with nothing written."""
