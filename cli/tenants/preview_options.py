"""`--set NAME=VALUE`: settings of a preview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from administration.tenants.scope_rules import rule_as_json
from cli.tenants.options import pair, split_list
from cli.tenants.scope.rule import scope_rule
from schemas.errors import UsageError
from schemas.users.attributes import Attribute
from schemas.words import unknown_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LISTS: Final = ("match_keys", "erase_blank", "replace_from_later_sources")
_SWITCHES: Final = ("enabled_only", "members_only")
_RULES: Final = ("include", "exclude")
_LIMITS: Final = ("changed", "identity_changed", "not_found", "failed", "left_scope")
_NONE: Final = "none"

#: What `--set` takes beside the names of attributes, which set their sources.
NAMES: Final = (
    *_LISTS,
    *_SWITCHES,
    *_RULES,
    "birthdays",
    "ssn_country",
    "skolon_profile",
    *(f"guard.{limit}" for limit in _LIMITS),
)


def read_overrides(settings: Iterable[str], base: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the settings object that the options make, on top of a file's, and a line for each fault."""
    changes, faults = dict(base), list[str]()
    for text in settings:
        try:
            name, value = pair(text, "--set")
            _put(changes, name.removeprefix("scope.").removeprefix("sources."), value.strip())
        except UsageError as error:
            faults.append(error.summary)
    return changes, faults


def _put(changes: dict[str, Any], name: str, value: str) -> None:
    if name in list(Attribute):
        _inside(changes, "sources")[name] = split_list(value)
    elif name in _LISTS:
        changes[name] = split_list(value)
    elif name in _SWITCHES:
        _inside(changes, "scope")[name] = _switch(name, value)
    elif name in _RULES:
        _add_rule(_inside(changes, "scope"), name, value)
    elif name == "birthdays":
        changes[name] = _switch(name, value)
    elif name == "skolon_profile":
        changes[name] = value
    elif name == "ssn_country":
        changes[name] = None if value.lower() in ("", _NONE) else value.upper()
    elif name.removeprefix("guard.") in _LIMITS:
        _inside(changes, "guard")[name.removeprefix("guard.")] = _limit(name, value)
    else:
        raise UsageError(f"--set {name}=…: {unknown_word(name, (*Attribute, *NAMES))}")


def _inside(changes: dict[str, Any], name: str) -> dict[str, Any]:
    inner = changes.get(name)
    if name in changes and not isinstance(inner, dict):
        raise UsageError(f"{name}: in the file it is not an object, so no setting of it can be given.")
    # A copy: the file's object is the caller's.
    changes[name] = dict(inner or {})
    made: dict[str, Any] = changes[name]
    return made


def _add_rule(scope: dict[str, Any], name: str, value: str) -> None:
    """Add a rule; the first one of an option replaces the saved ones."""
    rules = [*scope.get(name, ())]
    if value:
        rules.append(rule_as_json(scope_rule(value, f"--set {name}=")))
    scope[name] = rules


def _switch(name: str, value: str) -> bool:
    said: Callable[[str], bool | None] = {"true": True, "yes": True, "false": False, "no": False}.get
    found = said(value.lower())
    if found is None:
        raise UsageError(f"{name}: say true or false.")
    return found


def _limit(name: str, value: str) -> dict[str, Any] | None:
    if value.lower() == _NONE:
        return None
    count, comma, share = value.partition(",")
    try:
        part = float(share.strip().removesuffix("%")) / (100 if share.strip().endswith("%") else 1)
        return {"count": int(count), "share": part} if comma else {"count": int(count), "share": 0.0}
    except ValueError:
        raise UsageError(f"{name}: say COUNT,SHARE such as 100,10%, or none.") from None
