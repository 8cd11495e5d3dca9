"""What goes wrong in a round of faults."""
