"""Tells by mail and webhook what needs a person, and that it is well again."""
