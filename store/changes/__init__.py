"""What runs have written to the users of Skolon: for an undo, and for what Skolon alters."""
