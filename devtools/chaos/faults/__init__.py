"""The faults of a round, one module for each part that they act on."""
