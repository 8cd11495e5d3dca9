"""Each kind of detail has a sentence in every language, and the code makes no sentence by hand."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from schemas.details.kinds import DetailKind
from schemas.details.template import AGREEING, COUNTRY, DIFFERING, GUARD, LIST, NAME, TITLE, segments
from schemas.details.texts.templates import TEMPLATES
from schemas.reports.remedy import Language

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[4]
PACKAGES = (
    "administration", "bootstrap", "cli", "clients", "producers", "queues", "runtime", "schemas", "store",
    "workers",
)  # fmt: skip
#: What takes a detail, and its place among the positional arguments.
TAKES_DETAIL = {
    "PermanentError": 2,
    "HaltError": 1,
    "TransientError": 1,
    "UnreachableError": 1,
    "NoResponseError": 1,
    "UnreadableUserError": 1,
    "CircuitOpenError": 1,
    "NotYetError": 0,
    "SyncResult": None,
    "Failure": None,
    "Unwritten": None,
    "RuleResult": None,
    "RunWarning": None,
    "CheckResult": None,
    "Halt": None,
    "_EndedError": 1,
}
#: What an operator reads at a terminal, in English: without them nothing is recorded for a page to show.
FOR_OPERATORS = {"Dependency.DATABASE", "Dependency.BROKER"}
JARGON = re.compile(
    r"\b(letter|receipt|claims?|turn|put back|superseded|kvitto|brev|anspråk)\b", re.IGNORECASE
)
NAMES = {"detail", "fault", "reason"}


def trees() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """Yield each call of something that has a name, with its file and the name."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                function = node.func
                name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
                yield f"{path}:{node.lineno}", node, name


def kind_of(node: ast.expr) -> str | None:
    """Return the name of the kind in `DetailKind.NAME`."""
    is_kind = isinstance(node, ast.Attribute) and getattr(node.value, "id", None) == "DetailKind"
    return node.attr if is_kind and isinstance(node, ast.Attribute) else None


def parameters(kind: DetailKind, language: Language) -> dict[str, set[str]]:
    """Return the parameters that a kind's template names, each with how it is shown."""
    found: dict[str, set[str]] = {}
    for segment in segments(TEMPLATES[kind].in_language(language)):
        if segment.parameter is not None:
            found.setdefault(segment.parameter, set()).add(segment.form)
    return found


@pytest.mark.parametrize("kind", DetailKind)
def test_every_kind_has_a_sentence_in_every_language(kind: DetailKind) -> None:
    """The languages name the same parameters, in forms that there are, and differ in their words."""
    texts = {language: TEMPLATES[kind].in_language(language) for language in Language}
    named = {language: parameters(kind, language) for language in Language}

    assert set(TEMPLATES) == set(DetailKind)
    assert named[Language.SWEDISH].keys() == named[Language.ENGLISH].keys()
    for language in Language:
        assert not texts[language].endswith("."), "it may stand inside of another sentence"
        for form in (form for forms in named[language].values() for form in forms):
            assert (
                form in ("", LIST, TITLE, NAME, GUARD, COUNTRY, AGREEING, DIFFERING) or form.count("|") == 1
            )
    words = {
        language: "".join(segment.words for segment in segments(text)) for language, text in texts.items()
    }
    if any(map(str.isalpha, words[Language.ENGLISH].replace("HTTP", "").replace("settings", ""))):
        assert words[Language.SWEDISH] != words[Language.ENGLISH]


@pytest.mark.parametrize("kind", DetailKind)
def test_a_swedish_sentence_reads_as_one(kind: DetailKind) -> None:
    """It has one colon at most, calls a user "användare", and names attributes as sentences do."""
    swedish = TEMPLATES[kind].swedish
    words = "".join(segment.words for segment in segments(swedish))
    said = re.sub(r"'[^']*'|https?://|update-sync.*", "", words)

    assert all(sentence.count(":") <= 1 for sentence in said.split(". "))
    assert re.search(r"\bperson(en|er|erna|ens)?\b", words.replace("en annan person", "")) is None
    assert ":title}" not in swedish or swedish.index(":title}") < len("{attributes:title}")


@pytest.mark.parametrize("kind", DetailKind)
def test_a_sentence_has_no_jargon(kind: DetailKind) -> None:
    """Schools read it: nothing that only the code calls so."""
    assert JARGON.search(f"{TEMPLATES[kind].swedish} {TEMPLATES[kind].english}") is None


def test_every_detail_gets_the_parameters_of_its_kind() -> None:
    """No more and no fewer than the templates name; what is unpacked from a mapping is not seen here."""
    found = []
    for place, call, name in calls():
        kind = kind_of(call.args[0]) if name == "Detail" and call.args else None
        if kind is None:
            continue
        wanted = parameters(DetailKind[kind], Language.ENGLISH).keys()
        given = {keyword.arg for keyword in call.keywords}
        unpacked = None in given
        given.discard(None)
        if not (given <= wanted if unpacked else given == wanted):
            found.append(f"{place}: {kind} takes {sorted(wanted)}")
    assert found == []


def test_every_kind_is_used() -> None:
    """A sentence that no code makes is none that has to be translated."""
    used = {
        kind
        for path, tree in trees()
        if not path.startswith("schemas/details/") or path.endswith(("detail.py", "fields.py"))
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and (kind := kind_of(node)) is not None
    }
    assert sorted(set(DetailKind.__members__) - used) == []


def test_no_code_makes_a_sentence_by_hand() -> None:
    """Why a message failed, and what became of a user, is a detail: it can be told in each language."""
    found = []
    for place, call, name in calls():
        if name not in TAKES_DETAIL:
            continue
        if call.args and ast.unparse(call.args[0]) in FOR_OPERATORS:
            continue
        position = TAKES_DETAIL[name]
        given = [keyword.value for keyword in call.keywords if keyword.arg in NAMES]
        if position is not None and len(call.args) > position:
            given.append(call.args[position])
        found += [place for value in given if _is_sentence(value)]
    assert found == []


def _is_sentence(value: ast.expr) -> bool:
    if isinstance(value, ast.IfExp):
        return _is_sentence(value.body) or _is_sentence(value.orelse)
    is_join = (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr in ("join", "format")
    )
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return is_join or is_text or isinstance(value, ast.JoinedStr | ast.BinOp)
