"""A real browser for tests and screenshots, and the judge of accessibility."""
