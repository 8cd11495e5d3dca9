"""Values that travel and their meaning: messages, users, the attribute table, outcomes, errors, settings.

Nothing here opens a connection, and importing a module of it does nothing but define things.
"""
