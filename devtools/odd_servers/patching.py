"""Applies a PATCH to a SCIM user (RFC 7644 section 3.5.2); shares no code with the product."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: An attribute, maybe an extension's, entries of one type, and a part of them.
_PATH: Final = re.compile(
    r"(?:(?P<urn>urn:[\w.:-]+?:User)(?::|$))?(?P<name>\w*)"
    r'(?:\[type eq "(?P<type>[^"]*)"\])?(?:\.(?P<part>\w+))?',
    re.IGNORECASE,
)


class RefusedPatchError(Exception):
    """The server refuses an operation with this `scimType`."""

    def __init__(self, scim_type: str) -> None:
        super().__init__(scim_type)
        self.scim_type = scim_type


@dataclass(frozen=True, kw_only=True)
class Target:
    """What an operation without a path or with a path, taken apart, changes."""

    op: str
    name: str
    value: Any
    urn: str | None = None
    type: str | None = None
    part: str | None = None
    #: Whether the operation had a path, and whether that named one attribute of an extension.
    has_path: bool = True
    names_extension_attribute: bool = False


def targets(operation: Mapping[str, Any]) -> Iterator[Target]:
    """Yield what an operation changes, one target for each attribute."""
    op, path, value = str(operation["op"]).lower(), operation.get("path"), operation.get("value")
    if path is None:
        if not isinstance(value, dict):
            raise RefusedPatchError("invalidValue")
        for name, each in value.items():
            yield from _targets(op, name, each, has_path=False)
    else:
        yield from _targets(op, str(path), value, has_path=True)


def _targets(op: str, path: str, value: Any, *, has_path: bool) -> Iterator[Target]:
    found = _PATH.fullmatch(path)
    if found is None:
        raise RefusedPatchError("invalidPath")
    urn, name = found["urn"], found["name"]
    if urn is not None and not name:
        if not isinstance(value, dict):
            raise RefusedPatchError("invalidValue")
        for inner, each in value.items():
            yield Target(op=op, name=inner, value=each, urn=urn, has_path=has_path)
        return
    yield Target(
        op=op,
        name=name,
        value=value,
        urn=urn,
        type=found["type"],
        part=found["part"],
        has_path=has_path,
        names_extension_attribute=urn is not None,
    )


def apply(user: dict[str, Any], target: Target, *, exact_types: bool = False) -> None:
    """Change a user in place. Raises `RefusedPatchError`."""
    holder = user if target.urn is None else user.setdefault(_spelled(user, target.urn), {})
    name = _spelled(holder, target.name)
    if target.type is not None:
        _change_entries(holder.get(name) or [], target, holder, name, exact_types=exact_types)
    elif target.part is not None:
        inner = holder.setdefault(name, {})
        _change(inner, _spelled(inner, target.part), target)
    else:
        _change(holder, name, target)


def _change_entries(
    entries: list[dict[str, Any]], target: Target, holder: dict[str, Any], name: str, *, exact_types: bool
) -> None:
    wanted = str(target.type)
    matching = [
        entry
        for entry in entries
        if (held := str(entry.get("type", ""))) == wanted
        or (not exact_types and held.lower() == wanted.lower())
    ]
    if not matching:
        raise RefusedPatchError("noTarget")
    if target.part is None and target.op == "remove":
        holder[name] = [entry for entry in entries if entry not in matching]
        return
    for entry in matching:
        if target.part is None:
            entry.update(target.value)
        else:
            _change(entry, target.part, target)


def _change(holder: dict[str, Any], name: str, target: Target) -> None:
    old = holder.get(name)
    if target.op == "remove":
        holder.pop(name, None)
    elif isinstance(target.value, dict) and isinstance(old, dict):
        old.update(target.value)
    elif target.op == "add" and isinstance(old, list):
        more = target.value if isinstance(target.value, list) else [target.value]
        holder[name] = old + [entry for entry in more if entry not in old]
    else:
        holder[name] = target.value


def _spelled(holder: Mapping[str, Any], name: str) -> str:
    """Return an attribute's name as the holder spells it (RFC 7643 section 2.1)."""
    return next((held for held in holder if held.lower() == name.lower()), name)
