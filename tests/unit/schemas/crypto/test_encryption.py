"""Sealing: what is sealed is opened again by whoever has a key, and read by nobody else."""

from __future__ import annotations

import base64
import hmac
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.crypto.blind_index import BlindIndex
from schemas.crypto.encryption import KeyAge, Sealer, UnsealableError, is_key, new_key
from schemas.errors import WrongUseError

OLD: Final = new_key()
NEW: Final = new_key()
JSON: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(text=st.text(st.characters(codec="utf-8")))
def test_round_trip(text: str) -> None:
    """What was sealed is opened as it was."""
    assert Sealer([NEW]).open(Sealer([NEW]).seal(text)) == text


@given(value=JSON)
def test_round_trip_of_json(value: Any) -> None:
    """Any JSON value is opened as it was sealed."""
    assert Sealer([NEW]).open_json(Sealer([NEW]).seal_json(value)) == value


@given(text=st.text(st.characters(codec="utf-8"), min_size=12))
def test_a_sealed_value_does_not_show_what_it_holds(text: str) -> None:
    """P6: a sealed text is ASCII without the plain one in it, and differs each time."""
    sealer = Sealer([NEW])
    sealed = sealer.seal(text)
    assert sealed.isascii()
    assert text not in sealed
    assert sealer.seal(text) != sealed


def test_keys_can_be_rotated() -> None:
    """P6: a new key goes first and seals; the old one still opens, until it is taken away."""
    before, during, afterwards = Sealer([OLD]), Sealer([NEW, OLD]), Sealer([NEW])
    old_seal, new_seal = before.seal("värde"), during.seal("värde")
    assert during.open(old_seal) == during.open(new_seal) == "värde"
    assert afterwards.open(new_seal) == "värde"
    assert afterwards.open(during.rotate(old_seal)) == "värde"
    for sealer, sealed in ((before, new_seal), (afterwards, old_seal)):
        with pytest.raises(UnsealableError):
            sealer.open(sealed)
    with pytest.raises(UnsealableError):
        afterwards.rotate(old_seal)


@given(text=st.text(max_size=50) | st.binary(max_size=50).map(lambda raw: raw.decode("latin-1")))
def test_what_was_never_sealed_is_not_opened(text: str) -> None:
    """Any other text, and a sealed one that was changed, is refused, and the refusal holds none of it."""
    sealed = Sealer([NEW]).seal("värde")
    told: set[str] = set()
    for wrong in (text, sealed[:-4], sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:]):
        with pytest.raises(UnsealableError) as caught:
            Sealer([NEW]).open(wrong)
        told.add(str(caught.value))
    # The same words whatever it was, so nothing of it is in them.
    assert len(told) == 1


def test_a_wrong_key_is_the_operators_matter() -> None:
    """A value that no key opens names the variable that holds the keys, and no key."""
    with pytest.raises(WrongUseError, match="UPDATE_SYNC_SECRET_KEYS") as caught:
        Sealer([NEW]).open(Sealer([OLD]).seal("x"))
    assert NEW not in str(caught.value)


@pytest.mark.parametrize("text", ["", "x", "a" * 44, NEW[:-2], NEW + NEW, "å" * 44, "not base64 at all !!"])
def test_what_is_no_key(text: str) -> None:
    """A key is 32 bytes in URL-safe base64 and nothing else."""
    assert not is_key(text)


def test_a_new_key_is_one() -> None:
    """Keys that we make are keys, and no two are the same."""
    assert is_key(NEW)
    assert NEW != OLD


def test_of_each_value_it_is_known_which_key_it_needs() -> None:
    """A value is the newest key's, an older one's, or nobody's; a rotation makes it the newest one's."""
    old, new = new_key(), new_key()
    both = Sealer([new, old])
    sealed = Sealer([old]).seal("text")
    assert both.age_of(both.seal("text")) is KeyAge.NEWEST
    assert both.age_of(sealed) is KeyAge.OLDER
    assert both.age_of(both.rotate(sealed)) is KeyAge.NEWEST
    for foreign in (Sealer([new_key()]).seal("text"), "no token", "\ud800", ""):
        assert both.age_of(foreign) is KeyAge.NONE


def test_half_a_surrogate_can_be_sealed() -> None:
    """What JSON can name is sealed and opened as it was, so that it holds up nobody else."""
    sealer = Sealer([new_key()])
    assert sealer.open_json(sealer.seal_json({"name": "\ud800\0"})) == {"name": "\ud800\0"}


def test_traces_begin_with_the_id_of_their_key() -> None:
    """So it can be told which key a trace needs; one of an older key or version is found all the same."""
    old, new = new_key(), new_key()
    before, both = BlindIndex([old]), BlindIndex([new, old])
    assert both.trace("anna").startswith(both.key_id)
    assert len(both.trace("anna")) == 32
    assert both.key_id != before.key_id
    assert before.trace("anna") in both.traces("anna")
    derived = hmac.digest(base64.urlsafe_b64decode(old), b"update-sync blind index", "sha256")
    assert hmac.digest(derived, b"anna", "sha256")[:16].hex() in both.traces("anna")
