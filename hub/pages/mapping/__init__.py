"""The attribute mapping: the active one, its drafts, and how it has changed."""
