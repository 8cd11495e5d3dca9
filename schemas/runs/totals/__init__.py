"""What is summed over the users of a run: failures, and how settings map them."""
