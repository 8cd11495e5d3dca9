"""Work on users that fail that goes on in the background: try first, try again, set aside."""
