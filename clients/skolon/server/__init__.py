"""What an organisation's server can do, as it was found out, and what it says of itself."""
