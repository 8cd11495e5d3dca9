"""What the page of one user says."""
