"""The fault suite: real processes, real servers, and seeded schedules of what goes wrong for them.

`python -m devtools.chaos --help`, or `make chaos`. docs/reliability.md says what is done and promised.
"""
