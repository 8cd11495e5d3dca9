"""Setting up a sync by the API."""
