"""Updates Skolon's users in the form of PATCH that an organisation's server takes."""
