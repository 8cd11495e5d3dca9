"""What every HTTP client shares: the session, its bounds, its errors."""
