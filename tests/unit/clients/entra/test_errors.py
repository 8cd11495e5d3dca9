"""What Entra's refusals mean, in words."""

from __future__ import annotations

import pytest

from clients.entra.errors import token_error
from schemas.errors import HaltError, TransientError

GUID = "6a1c0c3e-0000-4000-8000-00000000aaaa"


@pytest.mark.parametrize(
    ("error", "number", "words"),
    [
        ("invalid_client", 7000215, "Secret ID has been pasted in place of the Value"),
        ("invalid_client", 7000222, "has expired"),
        ("unauthorized_client", 700016, "client id"),
        ("invalid_request", 90002, "no such directory"),
        ("invalid_tenant", None, "no such directory"),
        ("invalid_client", 4711, "does not take the client id"),
        ("never_heard_of", None, "refuses"),
    ],
)
def test_words(error: str, number: int | None, words: str) -> None:
    """Each refusal halts, and says in plain words what to mend (promise P7)."""
    answer = {"error": error, "error_codes": [] if number is None else [number]}
    refusal = token_error(answer, client_secret="s")  # noqa: S106 - made up
    assert isinstance(refusal, HaltError)
    assert words in refusal.detail


@pytest.mark.parametrize("error", ["temporarily_unavailable", "server_error", "request_throttled"])
def test_for_now(error: str) -> None:
    """What Entra calls temporary is an outage (promise P8)."""
    assert isinstance(token_error({"error": error}, client_secret="s"), TransientError)  # noqa: S106


@pytest.mark.parametrize("answer", [{}, {"error": 7}, {"error": ["x"], "error_codes": "7000215"}])
def test_odd_answers(answer: dict[str, object]) -> None:
    """An answer of odd types is a refusal all the same."""
    assert isinstance(token_error(answer, client_secret="s"), HaltError)  # noqa: S106


def test_secret_id() -> None:
    """A secret that looks like a GUID is said to, and neither it nor the description is shown (P6)."""
    answer = {"error": "invalid_client", "error_codes": [7000215], "error_description": "AADSTS of Åsa"}
    refusal = token_error(answer, client_secret=GUID)
    assert "looks like a GUID" in str(refusal)
    assert GUID not in str(refusal)
    assert "Åsa" not in str(refusal)
