"""What travels and what it means: messages, users, the attribute table, outcomes, errors, settings.

Nothing here opens a connection, and importing a module of it does nothing but define things.
"""
