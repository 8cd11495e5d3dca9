"""Tenant-sync in, one message per user out: opens runs, reads Entra's pages and publishes."""
