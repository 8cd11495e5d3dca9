"""The schedule of a tenant: chosen in words, shown before it is saved, and paused."""
