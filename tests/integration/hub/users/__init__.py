"""The page of a user."""
