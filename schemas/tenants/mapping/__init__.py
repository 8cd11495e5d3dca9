"""The attribute mapping beside a tenant's other settings: drafts of it, and how it has changed."""
