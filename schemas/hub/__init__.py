"""The Data Hub's members and sessions, and what its audit records."""
