"""The fault suite: real processes, real servers, and seeded schedules of faults.

`python -m devtools.chaos --help`, or `make chaos`. docs/reliability.md describes the faults and the promises.
"""
