"""Stand-ins for Entra, Graph and Skolon, and a made-up municipality.

Used by the sandbox command and the tests, by nothing else; it shares no logic with the product, so
that it can judge it.
"""
