"""The sync of one user, from the message to the request to Skolon."""
