"""A tenant's schedule: in words, changed, and paused."""
