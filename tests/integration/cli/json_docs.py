"""Reads the objects that docs/json.md describes, and compares values with them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[3] / "docs" / "json.md"

_SECTION = re.compile(r"^### (\w+)$(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \|", re.MULTILINE)
_BASE = re.compile(r"^All fields of \*(\w+)\*, and:$", re.MULTILINE)
_EXAMPLE = re.compile(r"An example of `(\w+)`:\n\n```json\n(.*?)```", re.DOTALL)

_FORMS = {
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "word": re.compile(r"[A-Za-z][\w-]*"),
}


def objects() -> dict[str, dict[str, str]]:
    """Return the type of each field of each object, those of the object that it extends included."""
    sections = _SECTION.findall(PAGE.read_text(encoding="utf-8"))
    found: dict[str, dict[str, str]] = {}
    for name, text in sections:
        base = _BASE.search(text)
        inherited = found[base[1]] if base else {}
        found[name] = {**inherited, **{field: kind.strip() for field, kind in _ROW.findall(text)}}
    return found


def examples() -> list[tuple[str, Any]]:
    """Return the examples, each with the name of its object."""
    return [(name, json.loads(text)) for name, text in _EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))]


def faults(value: Any, kind: str, path: str = "value") -> Iterator[str]:
    """Yield where a value is not of a kind of the page: a type, an object, a list, each or null."""
    described = objects()
    if kind.endswith(" or null"):
        if value is not None:
            yield from faults(value, kind.removesuffix(" or null"), path)
    elif kind.startswith("list of "):
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for number, each in enumerate(value):
            yield from faults(each, kind.removeprefix("list of "), f"{path}[{number}]")
    elif kind in described:
        if not isinstance(value, dict):
            yield f"{path} is no object"
            return
        yield from (f"{path}.{name} is not described" for name in value.keys() - described[kind].keys())
        yield from (f"{path}.{name} is missing" for name in described[kind].keys() - value.keys())
        for name in described[kind].keys() & value.keys():
            yield from faults(value[name], described[kind][name], f"{path}.{name}")
    elif not _is_simple(value, kind):
        yield f"{path} is no {kind}: {value!r}"


def _is_simple(value: Any, kind: str) -> bool:  # noqa: PLR0911 - one for each type
    match kind:
        case "id" | "text":
            return isinstance(value, str)
        case "word" | "time" | "date":
            return isinstance(value, str) and _FORMS[kind].fullmatch(value) is not None
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "share":
            return isinstance(value, int | float) and 0 <= value <= 1
        case "counts":
            return isinstance(value, dict) and all(isinstance(each, int) for each in value.values())
        case "list":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case _:
            raise AssertionError(f"docs/json.md has no type {kind!r}")
