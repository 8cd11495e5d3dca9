"""A stand-in for Skolon: scim2-server with Skolon's schema, a storage of ours and faults on demand."""
