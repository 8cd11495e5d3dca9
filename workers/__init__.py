"""One user at a time: validate, map, match, update, record."""
