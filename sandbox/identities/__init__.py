"""A made-up municipality in which it is hard to tell who is who, and what must become of each user.

Nothing of the sync is used here, on purpose. All people are made up.
"""
