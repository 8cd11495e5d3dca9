"""What became of each user in a run."""
