"""Sealing: what is sealed is opened again by whoever has a key, and read by nobody else."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.crypto.blind_index import BlindIndex
from schemas.crypto.encryption import DecryptionError, FieldCipher, KeyAge, is_encryption_key, new_key
from schemas.errors import UsageError

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
    assert FieldCipher([NEW]).decrypt(FieldCipher([NEW]).encrypt(text)) == text


@given(value=JSON)
def test_round_trip_of_json(value: Any) -> None:
    """Any JSON value is opened as it was sealed."""
    assert FieldCipher([NEW]).decrypt_json(FieldCipher([NEW]).encrypt_json(value)) == value


@given(text=st.text(st.characters(codec="utf-8"), min_size=12))
def test_a_sealed_value_does_not_show_what_it_holds(text: str) -> None:
    """P6: a sealed text is ASCII without the plain one in it, and differs each time."""
    cipher = FieldCipher([NEW])
    sealed = cipher.encrypt(text)
    assert sealed.isascii()
    assert text not in sealed
    assert cipher.encrypt(text) != sealed


def test_keys_can_be_rotated() -> None:
    """P6: a new key goes first and seals; the old one still opens, until it is taken away."""
    before, during, afterwards = FieldCipher([OLD]), FieldCipher([NEW, OLD]), FieldCipher([NEW])
    old_seal, new_seal = before.encrypt("värde"), during.encrypt("värde")
    assert during.decrypt(old_seal) == during.decrypt(new_seal) == "värde"
    assert afterwards.decrypt(new_seal) == "värde"
    assert afterwards.decrypt(during.rotate(old_seal)) == "värde"
    for cipher, sealed in ((before, new_seal), (afterwards, old_seal)):
        with pytest.raises(DecryptionError):
            cipher.decrypt(sealed)
    with pytest.raises(DecryptionError):
        afterwards.rotate(old_seal)


@given(text=st.text(max_size=50) | st.binary(max_size=50).map(lambda raw: raw.decode("latin-1")))
def test_what_was_never_sealed_is_not_opened(text: str) -> None:
    """Any other text, and a sealed one that was changed, is refused, and the refusal holds none of it."""
    sealed = FieldCipher([NEW]).encrypt("värde")
    told: set[str] = set()
    for wrong in (text, sealed[:-4], sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:]):
        with pytest.raises(DecryptionError) as caught:
            FieldCipher([NEW]).decrypt(wrong)
        told.add(str(caught.value))
    # The same words whatever it was, so nothing of it is in them.
    assert len(told) == 1


def test_a_wrong_key_is_the_operators_matter() -> None:
    """A value that no key opens names the variable that holds the keys, and no key."""
    with pytest.raises(UsageError, match="UPDATE_SYNC_SECRET_KEYS") as caught:
        FieldCipher([NEW]).decrypt(FieldCipher([OLD]).encrypt("x"))
    assert NEW not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a" * 44,
        # Keys are made anew in each process, and pytest-xdist needs the same names in all of them.
        pytest.param(NEW[:-2], id="cut"),
        pytest.param(NEW + NEW, id="twice"),
        "å" * 44,
        "not base64 at all !!",
    ],
)
def test_what_is_no_key(text: str) -> None:
    """A key is 32 bytes in URL-safe base64 and nothing else."""
    assert not is_encryption_key(text)


def test_a_new_key_is_one() -> None:
    """Keys that we make are keys, and no two are the same."""
    assert is_encryption_key(NEW)
    assert NEW != OLD


def test_of_each_value_it_is_known_which_key_it_needs() -> None:
    """A value is the newest key's, an older one's, or nobody's; a rotation makes it the newest one's."""
    old, new = new_key(), new_key()
    both = FieldCipher([new, old])
    sealed = FieldCipher([old]).encrypt("text")
    assert both.key_age(both.encrypt("text")) is KeyAge.NEWEST
    assert both.key_age(sealed) is KeyAge.OLDER
    assert both.key_age(both.rotate(sealed)) is KeyAge.NEWEST
    for foreign in (FieldCipher([new_key()]).encrypt("text"), "no token", "\ud800", ""):
        assert both.key_age(foreign) is KeyAge.NONE


def test_half_a_surrogate_can_be_sealed() -> None:
    """What JSON can name is sealed and opened as it was, so that it holds up nobody else."""
    cipher = FieldCipher([new_key()])
    assert cipher.decrypt_json(cipher.encrypt_json({"name": "\ud800\0"})) == {"name": "\ud800\0"}


def test_traces_begin_with_the_id_of_their_key() -> None:
    """So it can be told which key a digest needs; one of an older key is found all the same."""
    old, new = new_key(), new_key()
    before, both = BlindIndex([old]), BlindIndex([new, old])
    assert both.digest("anna").startswith(both.key_id)
    assert len(both.digest("anna")) == 32
    assert both.key_id != before.key_id
    assert both.digests("anna") == [both.digest("anna"), before.digest("anna")]
