"""Values that are shown by their shape: what they are, and never whose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from administration.users.redaction import diff_hint, mask


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (None, "blank"),
        ("anna.svensson12@elev.kommun.example", "•••.•••##@•••.•••.•••"),
        ("20130101-2380", "########-####"),
        ("20130101TF01", "########•••##"),
        ("+46 70 000 00 00", "+## ## ### ## ##"),
        ("Ö", "•••"),
        ("O'Brien", "•••"),
        ("Skolan\r\nStorgatan\t1", "•••#"),
    ],
)
def test_a_shape_tells_what_kind_of_thing_it_is(value: str | None, shape: str) -> None:
    """Mail addresses, numbers and dates keep their form; a name has no length."""
    assert mask(value) == shape


@given(value=st.text())
def test_nothing_of_a_value_is_shown(value: str) -> None:
    """P6: a shape is made of dots, number signs and a few signs of form: no letter and no digit is in it."""
    assert not any(sign.isalnum() for sign in mask(value))
    assert set(mask(value)) <= set("@.-_+ •#")


@given(digits=st.text("0123456789", min_size=8, max_size=12), other=st.text("0123456789", min_size=12))
def test_a_personal_number_cannot_be_guessed(digits: str, other: str) -> None:
    """P6: any two numbers of the same length have the same shape."""
    assert mask(digits) == mask(other[: len(digits)]) or len(other) < len(digits)


@given(name=st.text(st.characters(categories=["L"]), min_size=1))
def test_a_names_length_is_not_told(name: str) -> None:
    """P6: a name of one word is three dots, however long it is."""
    assert mask(name) == "•••"


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        (None, "a", None),
        ("a", None, None),
        ("Anna", "anna", "only upper and lower case differ"),
        ("20130101-2380", "201301012380", "only signs and spaces differ"),
        ("a@old.example", "A@new.example", "only what follows the @ differs"),
        ("old@a.example", "new@A.example", "only what precedes the @ differs"),
        ("a@b", "c@d", None),
        ("a", "b", None),
    ],
)
def test_what_two_values_have_in_common_is_said(old: str | None, new: str | None, hint: str | None) -> None:
    """Where two shapes look alike, words say what differs."""
    assert diff_hint(old, new) == hint


@given(old=st.none() | st.text(), new=st.none() | st.text())
def test_words_about_a_difference_are_always_the_same(old: str | None, new: str | None) -> None:
    """P6: what is said of two values is one of a few sentences, with nothing of theirs in it."""
    said = diff_hint(old, new)
    assert said is None or said.startswith("only ")
    assert said in {
        None,
        "only upper and lower case differ",
        "only signs and spaces differ",
        "only what follows the @ differs",
        "only what precedes the @ differs",
    }
