"""A detail keeps its kind and parameters in messages and in the database, and is told in each language."""

from __future__ import annotations

import json

import pytest

from schemas.details.detail import (
    Detail,
    as_detail,
    from_json,
    from_stored,
    joined,
    line_of,
    structured_json,
    to_stored,
)
from schemas.details.fields import field_details
from schemas.details.kinds import DetailKind
from schemas.reports.remedy import Language
from schemas.users.attributes import Attribute

SUSPICIOUS = Detail(
    DetailKind.SUSPICIOUS_MATCH,
    skolon_user="s1",
    keys=(Attribute.EMAIL,),
    agrees=("birth_date", "last_name"),
    differs=(),
)
GAVE_UP = Detail(
    DetailKind.GAVE_UP_ON_SERVICE,
    service="skolon",
    problem=Detail(DetailKind.HTTP_STATUS_BUT, status=200, why=Detail(DetailKind.NO_JSON_OBJECT)),
    since="2026-01-01 00:00",
    attempts=1,
)


def test_a_detail_is_told_in_both_languages() -> None:
    """Attributes have names, lists are joined, and an empty list of traits is nothing."""
    assert SUSPICIOUS == (
        "Skolon user s1 has the same E-mail, but may be another person (the same: birth date and "
        "last name; different: none)"
    )
    assert SUSPICIOUS.in_language(Language.SWEDISH) == (
        "användaren s1 i Skolon har samma e-post men är kanske en annan person (födelsedatum och efternamn "
        "stämmer, inget skiljer sig)"
    )


def test_a_detail_in_a_detail_is_told_in_the_same_language() -> None:
    """An outage's detail holds that of the answer; a number has its singular."""
    assert GAVE_UP == "skolon: HTTP 200, but no JSON object (since 2026-01-01 00:00 UTC, 1 attempt)"
    assert GAVE_UP.in_language(Language.SWEDISH) == (
        "skolon: HTTP 200, men svaret är inte ett JSON-objekt (sedan 2026-01-01 00:00 UTC, 1 försök)"
    )


def test_several_details_are_one() -> None:
    """Parts that have only their words stay as they are; one part is itself."""
    both = joined([SUSPICIOUS, "x"])

    assert joined([SUSPICIOUS]) is SUSPICIOUS
    assert both == f"{SUSPICIOUS}; x"
    assert both.in_language(Language.SWEDISH).endswith("; x")


@pytest.mark.parametrize("detail", [SUSPICIOUS, GAVE_UP, as_detail("x"), joined([SUSPICIOUS, GAVE_UP, "x"])])
def test_the_database_and_messages_keep_a_detail(detail: Detail) -> None:
    """Kind and parameters come back, and with them each sentence; equal details have equal texts."""
    stored = to_stored(detail)
    for back in (from_stored(stored), from_json(json.loads(json.dumps(detail.as_json())))):
        assert back is not None
        assert (back, back.kind, dict(back.parameters)) == (detail, detail.kind, dict(detail.parameters))
        assert back.in_language(Language.SWEDISH) == detail.in_language(Language.SWEDISH)
        assert to_stored(back) == stored


def test_a_text_that_cannot_be_stored_is_stored_as_ascii() -> None:
    """A database takes no NUL and no half of a surrogate pair; a terminal gets escapes for them."""
    odd = Detail(DetailKind.TEXT, text="a\0b\ud800\x1b[31m")

    assert odd.isprintable()
    assert (to_stored(odd) or "").isascii()
    assert from_stored(to_stored(odd)) == odd


def test_a_kind_of_a_newer_version_is_named() -> None:
    """While versions change, an older process may show what a newer one has written."""
    assert from_json({"kind": "of_tomorrow", "parameters": {}}) is None
    assert "of_tomorrow" in str(from_stored('{"kind":"of_tomorrow","parameters":{}}'))


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "x",
        {},
        {"kind": 7},
        {"kind": "collision"},
        {"kind": "collision", "parameters": ["holder"]},
        {
            "kind": "collision",
            "parameters": {"holder": {"a": 1}, "other": None, "skolon_user": True, "kind": 2},
        },
        {"kind": "ambiguous_match", "parameters": {"ids": 3, "attribute": ["nothing", {"kind": "x"}]}},
        {"kind": "suspicious_match", "parameters": {"agrees": "x", "differs": [1, [2]]}},
    ],
)
def test_foreign_json_never_fails(value: object) -> None:
    """Any client may write a message: what is not readable counts as missing."""
    found = from_json(value)
    if found is not None:
        assert all(found.in_language(language).isprintable() for language in Language)
        assert from_stored(to_stored(found)) == found


def test_details_in_each_other_have_an_end() -> None:
    """A message of another client may nest them without need."""
    value: dict[str, object] = {"kind": "text", "parameters": {"text": "deep"}}
    for _ in range(40):
        value = {"kind": "several", "parameters": {"details": [value]}}

    assert "deep" not in str(from_json(value))


def test_what_is_stored_otherwise_is_a_text() -> None:
    """A line that another tool has written into the database is shown as it is."""
    assert from_stored("by hand") == "by hand"
    assert from_stored(None) is None
    assert to_stored(None) is None


def test_json_has_the_parts_and_every_language() -> None:
    """Programs decide by the kind and the parameters; pages show a sentence."""
    assert structured_json(None) is None
    assert structured_json(Detail(DetailKind.UNDO_SKIPPED, attributes=(Attribute.CITY,))) == {
        "kind": "undo_skipped",
        "parameters": {"attributes": ["city"]},
        "texts": {
            "sv": "återställs inte, eftersom värdet har ändrats sedan dess: ort",
            "en": "skipped, because it changed since: City",
        },
    }


def test_errors_keep_a_detail_and_make_a_line_of_a_text() -> None:
    """Escapes and line breaks of ids never reach a terminal."""
    assert line_of(SUSPICIOUS) is SUSPICIOUS
    assert line_of("a\nb") == "a\\x0ab"


def test_field_faults_name_their_fields() -> None:
    """Each is a part of its own; a fault of the whole has no field."""
    assert field_details({"guard": {"count": ["No."]}, "_schema": ["Whole."]}) == "guard.count: No.; Whole."
