"""Updates of one user."""
