"""Lists of users: their columns and rows, on a page and in a file."""
