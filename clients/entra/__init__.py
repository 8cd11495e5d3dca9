"""Entra ID's token endpoint."""
