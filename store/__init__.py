"""The only door to the database: tenants, runs, pages and receipts."""
