"""When tenants are triggered without being asked."""
