"""One user's sync from the message to the request to Skolon."""
