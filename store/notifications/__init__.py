"""Settings of notifications, what was told, and the deliveries."""
