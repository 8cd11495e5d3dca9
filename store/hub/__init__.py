"""Members of the Data Hub, their links and sessions, and the audit."""
