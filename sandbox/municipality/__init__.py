"""A made-up municipality: its users in Entra, in Skolon before a sync, and what must become of them.

All of it is made up. The same seed and size give the same users in every process.
"""
