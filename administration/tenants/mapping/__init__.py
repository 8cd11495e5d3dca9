"""The attribute mapping: drafted, tried on all users, made active, and taken back."""
