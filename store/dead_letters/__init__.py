"""What is stored of the work on dead letters."""
