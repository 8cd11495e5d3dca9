"""`update-sync users`."""
