"""Skolon's users over SCIM."""
