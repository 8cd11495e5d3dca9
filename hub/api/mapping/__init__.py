"""The attribute mapping by the API."""
