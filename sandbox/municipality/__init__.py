"""A made-up municipality: its people in Entra, in Skolon before a sync, and what must become of them.

Nobody in it exists. The same seed and size give the same people, in every process.
"""
