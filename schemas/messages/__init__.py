"""Messages: their fields, their encoding, their authenticity, and dead letters."""
