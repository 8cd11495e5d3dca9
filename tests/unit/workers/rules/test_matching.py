"""Whom in Skolon an Entra user is, whatever a search has found."""

from __future__ import annotations

import unicodedata
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PermanentError
from schemas.users.attributes import MATCH_KEYS, Attribute
from schemas.users.skolon_user import SkolonUser
from tests.unit.workers.factories import skolon_user
from workers.rules.matching import find_matches, match_keys_with_values, select_match

#: Few values, so that candidates clash; each is one that must not be told on.
WORDS: Final = ["Hemlig@a.example", "hemlig@A.example", "hemlig-b", "HEMLIG-B"]
ORDERS: Final = st.lists(st.sampled_from(MATCH_KEYS), unique=True, min_size=1)
KEYS: Final = ORDERS.flatmap(
    lambda order: st.fixed_dictionaries({key: st.sampled_from(WORDS) for key in order})
)
CANDIDATES: Final = st.lists(
    st.fixed_dictionaries({key: st.none() | st.sampled_from(WORDS) for key in MATCH_KEYS}), max_size=5
).map(
    lambda people: [
        SkolonUser(id=f"s{number}", version=None, attributes=held) for number, held in enumerate(people)
    ]
)

#: Written independently of the code: which keys are compared without regard to case.
FOLDED: Final = {"external_id", "eppn", "user_name", "email"}

Keys = dict[Attribute, str]


def hits(candidates: list[SkolonUser], key: Attribute, value: str) -> set[str]:
    fold = str.lower if str(key) in FOLDED else str
    return {
        user.id
        for user in candidates
        if (held := user.attributes.get(key)) is not None and fold(held) == fold(value)
    }


def decision(candidates: list[SkolonUser], keys: Keys) -> str | None:
    """Return the id that was chosen, None, or the text of the refusal."""
    try:
        chosen = select_match(find_matches(candidates, keys))
    except PermanentError as error:
        return str(error)
    return None if chosen is None else chosen.user.id


@given(candidates=CANDIDATES, keys=KEYS)
def test_the_first_key_with_hits_decides(candidates: list[SkolonUser], keys: Keys) -> None:
    """One hit of the first key that has any is the match, several are ambiguous, none is nobody."""
    expected: set[str] = next(
        (found for key, value in keys.items() if (found := hits(candidates, key, value))), set()
    )
    answer = decision(candidates, keys)
    if not expected:
        assert answer is None
    elif len(expected) == 1:
        assert {answer} == expected
    else:
        assert answer is not None
        assert answer.startswith("ambiguous_match at match: ")
        assert answer.endswith(": " + ", ".join(sorted(expected)))


@given(candidates=CANDIDATES, keys=KEYS, data=st.data())
def test_the_order_of_candidates_does_not_matter(
    candidates: list[SkolonUser], keys: Keys, data: st.DataObject
) -> None:
    """However the server sorts its answer, and whatever it repeats, the decision is the same."""
    shuffled = data.draw(st.permutations(candidates))
    assert decision(candidates, keys) == decision([*shuffled, *candidates], keys)


@given(candidates=CANDIDATES, keys=KEYS)
def test_an_ambiguous_match_names_ids_only(candidates: list[SkolonUser], keys: Keys) -> None:
    """P6: the refusal names the Skolon ids and the attribute, and no value of anybody."""
    assert "hemlig" not in (decision(candidates, keys) or "").casefold()


def test_who_is_a_hit_is_decided_here() -> None:
    """A server whose search is wider than asked does not get a stranger updated."""
    stranger = skolon_user("s9", eppn="someone@else.example", idp_identifier="ANNA")
    keys = {Attribute.EPPN: "anna@skola.example", Attribute.IDP_IDENTIFIER: "anna"}
    assert select_match(find_matches([stranger], keys)) is None


def test_a_later_key_is_not_asked_when_an_earlier_one_has_a_hit() -> None:
    """The External Id wins over the EPPN when the two point at different people."""
    by_id = skolon_user("s1", external_id="e1", eppn="bo@skola.example")
    by_eppn = skolon_user("s2", eppn="anna@skola.example")
    keys = {Attribute.EXTERNAL_ID: "e1", Attribute.EPPN: "anna@skola.example"}
    match = select_match(find_matches([by_eppn, by_id], keys))
    assert match is not None
    assert (match.key, match.user) == (Attribute.EXTERNAL_ID, by_id)


@given(
    mapped=st.dictionaries(st.sampled_from(list(Attribute)), st.none() | st.text(min_size=1)), order=ORDERS
)
def test_keys_without_a_value_are_not_searched_for(
    mapped: dict[Attribute, str | None], order: list[Attribute]
) -> None:
    """The keys are the tenant's, in its order, without those that are blank or unknown."""
    keys = match_keys_with_values(mapped, order)
    assert list(keys) == [key for key in order if mapped.get(key) is not None]
    assert keys == {key: unicodedata.normalize("NFC", str(mapped[key])) for key in keys}


@pytest.mark.parametrize("key", MATCH_KEYS)
def test_blank_matches_nobody(key: Attribute) -> None:
    """Somebody in Skolon without a value is not a match for anybody."""
    assert select_match(find_matches([skolon_user("s1")], {key: "x"})) is None


@pytest.mark.parametrize(
    ("key", "held", "value", "is_match"),
    [
        pytest.param(
            "external_id", "0A1B2C3D-0000-4000-8000-0000000000AB", None, True, id="a GUID in capitals"
        ),
        pytest.param(
            "eppn", "Å.Ö@K.example", "a\u030a.o\u0308@k.example", True, id="another form of Unicode"
        ),
        pytest.param("user_name", "strauss@k.example", "strauß@k.example", False, id="ss is not ß"),
        pytest.param("email", "Anna@k.example", "anna@K.example", True, id="another case"),
        pytest.param("idp_identifier", "AbC=", "abc=", False, id="an Idp identifier is exact"),
    ],
)
def test_when_a_value_names_the_same_user(key: str, held: str, value: str | None, *, is_match: bool) -> None:
    """Case and the form of Unicode do not count, and two letters are never one."""
    attribute = Attribute(key)
    keys = match_keys_with_values({attribute: value or held.lower()}, [attribute])
    match = select_match(find_matches([skolon_user("s1", **{key: held})], keys))
    assert (match is not None) is is_match
