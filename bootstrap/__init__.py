"""The composition root: what every process and command works with, put together in one place."""
