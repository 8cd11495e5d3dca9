"""Prints what the sync would do to one user, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cli.output import echo, echo_detail, print_table
from schemas.safe_text import one_line
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from administration.users.explanation import Explanation


def print_explanation(explanation: Explanation) -> None:
    """Print what the sync would do to a user, step by step."""
    shown = explanation.as_json()
    echo(f"user {explanation.user}: what the sync would do now. Nothing has been changed.")
    for step in shown["steps"]:
        _PRINTERS[step["step"]](step)
    if shown["not_compared"]:
        echo(
            f"  not compared, as the sync does not set them: {', '.join(map(_title, shown['not_compared']))}"
        )
    echo("", f"outcome: {shown['outcome'] or 'unknown'}")
    for name in ("reason", "stage", "cause"):
        if shown[name] is not None:
            echo(f"  {name}: {one_line(shown[name])}")
    echo_detail("  away", shown["away"])
    echo_detail("  detail", shown["detail"])


def _title(attribute: str) -> str:
    return ATTRIBUTE_TABLE[Attribute(attribute)].title


def _print_read(step: dict[str, Any]) -> None:
    echo("", "read: from Graph, by its id" if step["found"] else "read: no user in Entra has the id")


def _print_scope(step: dict[str, Any]) -> None:
    echo("", f"scope: {'in scope' if step['in_scope'] else 'excluded'}")
    for rule in step["rules"]:
        line = f"{rule['setting']}: {rule['because']}"
        # With `--values` the rule itself tells more than the line.
        echo(f"  {line}" if rule["rule"] is None or rule["rule"] in line else f"  {line} ({rule['rule']})")
    if not step["rules"]:
        echo("  the tenant excludes no user")


def _print_map(step: dict[str, Any]) -> None:
    echo("", "mapped")
    rows = [
        (
            _title(each["attribute"]),
            each["source"] or "every source is blank",
            each["value"] if each["known"] else "not given",
        )
        for each in step["attributes"]
    ]
    print_table(("attribute", "source", "value"), rows)


def _print_search(step: dict[str, Any]) -> None:
    echo("", "searched in Skolon by")
    for each in step["keys"]:
        echo(f"  {_title(each['key'])}: {', '.join(each['skolon_users']) or 'no user'}")


def _print_match(step: dict[str, Any]) -> None:
    if step["by"] is None:
        echo("", "matched: no user")
    else:
        echo("", f"matched: Skolon user {step['skolon_user']}, by {_title(step['by'])}")


def _print_owner(step: dict[str, Any]) -> None:
    if step["is_own"]:
        whose = "this user's"
    elif step["external_id"] is None:
        whose = "blank"
    elif step["is_others"]:
        whose = "another user's in Entra"
    else:
        whose = f"of no user in Entra ({step['external_id']})"
    echo(f"  its External Id is {whose}")


def _print_birth_date(step: dict[str, Any]) -> None:
    echo("", f"birth date: {step['problem'] or step['value'] or 'not set in Entra'}")


def _print_evidence(step: dict[str, Any]) -> None:
    echo("", "the same person" if step["is_proven"] else "perhaps another person: nothing would be written")
    for name in ("agrees", "differs"):
        echo(f"  {name}: {', '.join(trait.replace('_', ' ') for trait in step[name]) or 'nothing'}")


def _print_compare(step: dict[str, Any]) -> None:
    echo("", "would change" if step["changes"] else "nothing differs")
    for each in step["changes"]:
        identity = ", identity" if each["identity"] else ""
        echo(f"  {_title(each['attribute'])} ({each['kind']}{identity})")
        hint = f"   ({each['hint']})" if each["hint"] else ""
        old, new = (one_line("blank" if each[side] is None else each[side]) for side in ("from", "to"))
        echo(f"    {old} → {new}{hint}")
    if step["kept"]:
        kept = ", ".join(_title(attribute) for attribute in step["kept"])
        echo(f"  without a value in Entra; Skolon's is kept, whatever it is: {kept}")


_PRINTERS: Final[Mapping[str, Callable[[dict[str, Any]], None]]] = {
    "read": _print_read,
    "scope": _print_scope,
    "map": _print_map,
    "search": _print_search,
    "match": _print_match,
    "owner": _print_owner,
    "birth_date": _print_birth_date,
    "evidence": _print_evidence,
    "compare": _print_compare,
}
