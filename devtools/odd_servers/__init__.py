"""SCIM servers that do what real ones are reported to do, and runs of made-up users against them.

`python -m devtools.odd_servers --help`, or `make odd-servers`. docs/scim-servers.md has the table.
"""
