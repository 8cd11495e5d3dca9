"""Setting a tenant up: it is added, connected to Entra, tested, and switched on."""
