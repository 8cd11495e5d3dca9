"""Tenants: connection check, preview, freshness, data quality, next run."""
