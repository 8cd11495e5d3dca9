"""Encryption of fields, and digests that can be compared."""
