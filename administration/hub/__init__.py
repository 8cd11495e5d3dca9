"""Members of the Data Hub: invitations, sign-in and sessions."""
