"""Work on users that fail: whom and what, and how far it is."""
