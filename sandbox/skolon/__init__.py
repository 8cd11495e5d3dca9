"""A stand-in for Skolon: a SCIM server that others wrote, with Skolon's schema, our storage and faults on demand."""
