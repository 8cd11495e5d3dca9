"""SCIM servers that others wrote, in processes of their own, as judges of the client."""
