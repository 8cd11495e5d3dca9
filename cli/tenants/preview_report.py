"""Prints what a run would do, and what the guard would say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from administration.tenants.scope_rules import rule_as_text
from administration.tenants.settings_check import lost_key_warning
from cli.output import echo, echo_detail, print_json, print_table
from cli.runs.details import print_changes, print_guard, print_scope_exits
from schemas.outcomes import FINAL_OUTCOMES
from schemas.runs.totals.mapping_comparison import MappingEffect
from schemas.safe_text import one_line
from schemas.users.attributes import ATTRIBUTE_TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from administration.tenants.preview import Preview
    from schemas.runs.run import RunSummary
    from schemas.runs.totals.mapping_comparison import AttributeMapping
    from schemas.users.attributes import Attribute


def show_preview(preview: Preview, *, wants_json: bool) -> None:
    """Print a preview."""
    if wants_json:
        print_json(preview.as_json())
        return
    summary = preview.summary
    run = summary.run
    echo(f"Preview of {run.tenant}, as run {run.id}: {run.status}. Nothing has been changed.")
    if run.cause is not None:
        echo_detail(str(run.cause), run.detail)
    if preview.settings:
        echo("", "With these settings, which are not saved:")
    for name, (saved, new) in preview.settings.items():
        echo(f"  {name}: {_as_text(new)}", f"      saved: {_as_text(saved)}")
    echo()
    print_table(("outcome", "users"), _outcomes(summary))
    if preview.details.changes.attributes:
        echo("", "Users whose attribute would be")
        print_changes(preview.details.changes)
    echo()
    _print_mapping(preview.mapping)
    _print_proposals(preview)
    if preview.details.scope_exits:
        print_scope_exits(preview.details.scope_exits)
    if preview.details.guard is not None:
        print_guard(preview.details.guard)
    for warning in summary.warnings:
        echo_detail("Warning", warning.detail)
    # At the end, where they are seen: the table above is wide.
    lost_keys = [lost_key_warning(preview.lost_match_keys)] if preview.lost_match_keys else []
    for line in (*lost_keys, *preview.lost):
        echo(f"Warning: {line}.")


def _print_mapping(mapping: Mapping[Attribute, AttributeMapping]) -> None:
    """Print where the values come from, and what the settings change about that."""
    rows = [
        (
            ATTRIBUTE_TABLE[name].title,
            ", ".join(f"{source} {users}" for source, users in each.sources.most_common()) or "-",
            each.no_value,
            each.invalid,
            each.effects[MappingEffect.GAINED],
            each.effects[MappingEffect.CHANGED],
            each.effects[MappingEffect.LOST],
            each.due_to_settings,
            each.anyway,
        )
        for name, each in mapping.items()
    ]
    if not rows:
        return
    echo("Where the values come from, by users in scope (compared with the saved settings):")
    headings = ("attribute", "from", "no value", "invalid", "gained", "changed", "lost")
    print_table((*headings, "written: new", "written: anyway"), rows)
    new = sum(each.due_to_settings for each in mapping.values())
    anyway = sum(each.anyway for each in mapping.values())
    echo(
        f"Of the values to write, {new} are due to these settings (new). "
        f"{anyway} would be written with the saved ones too (anyway).",
        "",
    )


def _print_proposals(preview: Preview) -> None:
    """Print which property would fit an attribute better than its first source."""
    for name, each in preview.proposals.items():
        title, users = ATTRIBUTE_TABLE[name].title, preview.source_facts.users
        first = f", {each.first} for {each.first_fit.agrees}" if each.first else ""
        echo(
            f"Proposal for {title}: {each.source} first. It has the same value as Skolon for "
            f"{each.fit.agrees} of {users} users{first}."
        )


def _outcomes(summary: RunSummary) -> list[tuple[str, int]]:
    rows = [(str(name), count) for name in FINAL_OUTCOMES if (count := summary.counts.get(name, 0))]
    rows += [(f"  {reason}", count) for reason, count in sorted(summary.reasons.items())]
    return [*rows, ("pending", summary.pending)] if summary.pending else rows


def _as_text(value: Any) -> str:
    """Return a setting's value as it is written in an option."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or "nothing"
    if isinstance(value, list):
        return ", ".join(map(rule_as_text, value)) or "none"
    if isinstance(value, dict):
        return f"{value['count']} and {value['share']:.0%}"
    return {True: "yes", False: "no", None: "none"}.get(value, one_line(value))
