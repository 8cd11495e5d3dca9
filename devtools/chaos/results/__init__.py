"""What a round of faults has shown."""
