"""The pages and the API of the attribute mapping."""
