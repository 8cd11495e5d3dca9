"""The pages' texts: every word of the contract has one, and every text has its Swedish."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from babel.messages.mofile import read_mo

from devtools.translations import SWEDISH, messages, swedish, texts_in_use
from hub.app import create_app
from hub.errors import _TEXTS
from hub.presentation import words
from hub.presentation.page_advice import ADVICE, SOURCE_ADVICE, UNDO_ADVICE
from hub.presentation.problems import describe_problem
from hub.services import HubServices
from schemas.dead_letter_reasons import Reason
from schemas.hub.member import Role
from schemas.outcomes import Cause, NotFoundReason, Outcome, RunKind, Status
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Language, Owner
from schemas.runs.changes import ChangeKind
from schemas.runs.run import WarningKind
from schemas.runs.sign_in import ValueMatch
from schemas.tenants.tenant_status import Problem, ProblemKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

TEMPLATES = Path(words.__file__).parents[1] / "templates"


@pytest.mark.parametrize(
    ("texts", "enumeration"),
    [
        (words.OUTCOMES, Outcome),
        (words.STATUSES, Status),
        (words.STATUS_COLOURS, Status),
        (words.KINDS, RunKind),
        (words.CHANGES, ChangeKind),
        (words.NOT_FOUND_REASONS, NotFoundReason),
        (words.VALUE_MATCHES, ValueMatch),
        (words.OWNERS, Owner),
        (words.ROLES, Role),
        (words.REASONS, Reason),
    ],
)
def test_every_word_of_the_contract_has_a_text(texts: Mapping[Any, str], enumeration: type[StrEnum]) -> None:
    """A new word cannot reach a page without its text."""
    assert set(texts) == set(enumeration)


@pytest.mark.parametrize(
    ("what", "advice"),
    [
        *((each, ADVICE[each]) for each in (*Reason, *Cause, *WarningKind)),
        *SOURCE_ADVICE.items(),
        *UNDO_ADVICE.items(),
    ],
)
def test_every_failure_halt_and_warning_has_advice_without_commands(what: Any, advice: Any) -> None:
    """A browser's user follows it without a terminal, and without a detail that is elsewhere."""
    happened, to_do = advice
    texts = {str(happened), str(happened if to_do is None else to_do)}
    found = [each for each in messages(swedish()) if each.id in texts]
    assert {each.id for each in found} == texts
    for each in found:
        for text in (str(each.id), str(each.string)):
            assert not re.search(r"update-sync|UPDATE_SYNC|\bthe detail\b|\bdetaljen\b|\s'", text)
    assert to_do is not None or remedy_for(what).owner is Owner.OPERATOR


@pytest.mark.parametrize("kind", ProblemKind)
@pytest.mark.parametrize("language", Language)
def test_every_problem_has_a_sentence(kind: ProblemKind, language: Language) -> None:
    """Whatever is wrong with a tenant, the page says it."""
    app = create_app(HubServices(store=None, sign_in=None, cookie_keys=[b"key"]))  # type: ignore[arg-type] # not used
    with app.test_request_context(headers={"Accept-Language": str(language)}):
        assert describe_problem(Problem(kind=kind, owner=Owner.OPERATOR), language).endswith((".", ": ."))


def test_every_text_has_its_swedish() -> None:
    """`make translations` finds nothing new, and no text is left without a translation."""
    used = {_strings(message.id) for message in messages(texts_in_use())}
    catalog = swedish()
    assert {_strings(message.id) for message in messages(catalog)} == used
    assert len(used) > 50
    missing = [
        message.id for message in messages(catalog) if not all(_strings(message.string)) or message.fuzzy
    ]
    assert missing == []


def test_the_swedish_has_the_same_places_for_facts() -> None:
    """A translation names each fact that its text names, and no other: else it could not be filled in."""
    for message in messages(swedish()):
        wanted = set(re.findall(r"%\(\w+\)[sd]", _strings(message.id)[0]))
        for text in _strings(message.string):
            assert set(re.findall(r"%\(\w+\)[sd]", text)) == wanted, message.id


def test_the_catalogue_is_compiled() -> None:
    """What the pages read is what people wrote; installing compiles it (CONTRIBUTING.md)."""
    with SWEDISH.with_suffix(".mo").open("rb") as file:
        compiled = {_strings(each.id): _strings(each.string) for each in messages(read_mo(file))}
    assert compiled == {_strings(each.id): _strings(each.string) for each in messages(swedish())}


def test_templates_write_no_script_and_no_style_inline() -> None:
    """The Content-Security-Policy would refuse them: they would not work."""
    for template in TEMPLATES.glob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(
            r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|\|\s*safe|javascript:", text
        ), template


def test_every_error_page_says_what_to_do() -> None:
    """The pages for errors have a heading and an advice."""
    assert {400, 403, 404, 405, 413, 500, 503} <= set(_TEXTS)


def _strings(text: Any) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, (tuple, list)) else (text,)
