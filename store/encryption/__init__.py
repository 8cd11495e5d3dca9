"""What the database holds encrypted."""
