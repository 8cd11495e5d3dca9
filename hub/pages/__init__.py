"""The pages: each a blueprint with its routes."""
