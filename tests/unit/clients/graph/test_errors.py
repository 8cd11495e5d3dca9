"""Claims challenges, which Graph sends in a header."""

from __future__ import annotations

import base64

import pytest

from clients.graph.errors import claims_challenge

CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
ENCODED = base64.b64encode(CLAIMS.encode()).decode()


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        (f'Bearer realm="", error="insufficient_claims", claims="{ENCODED}"', CLAIMS),
        (f'Bearer error="insufficient_claims", claims="{ENCODED.rstrip("=")}"', CLAIMS),
        (f'Bearer error="invalid_token", claims="{ENCODED}"', None),
        ('Bearer error="insufficient_claims"', None),
        ('Bearer error="insufficient_claims", claims="=="', ""),
        ('Bearer error="insufficient_claims", claims="a"', None),
        ('Bearer error="insufficient_claims", claims="/////w=="', None),
        (None, None),
    ],
)
def test_forms(header: str | None, claims: str | None) -> None:
    """The claims come out of the header as JSON text, and nothing out of what holds none."""
    assert (claims_challenge(header) or None) == (claims or None)
