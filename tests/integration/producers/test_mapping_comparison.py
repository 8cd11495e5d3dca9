"""A preview compares with the saved settings: what is gained and lost, and what would be written anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from administration.tenants.preview import Preview, preview_of
from cli.tenants.preview_report import show_preview
from sandbox.environment import TENANT_KEY
from schemas.outcomes import Outcome

if TYPE_CHECKING:
    import pytest

    from cli.sandbox.in_process_sync import InProcessSync

PEOPLE = 120


def preview(sync: InProcessSync, **settings: Any) -> Preview:
    saved = sync.store.tenants.settings(TENANT_KEY)
    return preview_of(sync.run(dry_run=True, settings=settings), saved, sync.store)


def printed(found: Preview, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    show_preview(found, wants_json=False)
    return " ".join(capsys.readouterr().out.split())


def test_a_source_that_is_blank_for_all_is_no_comfort(
    sync: InProcessSync, capsys: pytest.CaptureFixture[str]
) -> None:
    """The EPPN of nobody would be synced any more: that is said, as JSON too, and the exit code is 1."""
    found = preview(sync, sources={"eppn": ["extensionAttribute4"]})

    in_scope = found.as_json()["mapping"]["eppn"]["users"]
    assert in_scope > 0.9 * PEOPLE
    assert f"EPPN: no value for {in_scope} of {in_scope} users; it would no longer be synced" in printed(
        found, capsys
    )
    shown = found.as_json()
    assert shown["no_longer_synced"] == ["eppn"]
    eppn = shown["mapping"]["eppn"]
    assert (eppn["no_value"], eppn["sources"], eppn["gained"], eppn["changed"]) == (in_scope, {}, 0, 0)
    assert eppn["lost"] > 0.9 * in_scope
    assert not found.succeeds


def test_a_value_that_most_users_would_lose_is_warned_of_at_the_end(
    sync: InProcessSync, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a plain sentence, below the wide table; a few users have the value still."""
    found = preview(sync, sources={"eppn": ["otherMails"]})

    shown = found.as_json()
    eppn = shown["mapping"]["eppn"]
    assert 0 < eppn["users"] - eppn["no_value"] < eppn["users"] / 2 < eppn["lost"]
    assert (shown["lost_by_most"], shown["no_longer_synced"]) == (["eppn"], [])
    assert printed(found, capsys).endswith(
        f"Warning: EPPN: {eppn['lost']} of {eppn['users']} users would lose their value; for them it would "
        "no longer be synced."
    )
    assert not found.succeeds


def test_what_is_due_to_the_settings_is_told_from_the_rest(sync: InProcessSync) -> None:
    """Other attributes are written with the saved settings too; the new source's values are not."""
    usual = preview(sync)
    other = preview(sync, sources={"idp_identifier": ["onPremisesImmutableId"]})

    assert all(each.due_to_settings == 0 for each in usual.mapping.values())
    assert sum(each.anyway for each in usual.mapping.values()) > 0
    assert usual.lost == ()
    of_usual, of_other = usual.as_json()["mapping"], other.as_json()["mapping"]
    assert of_other["idp_identifier"]["due_to_settings"] > 0
    assert of_other["idp_identifier"]["sources"].keys() == {"onPremisesImmutableId"}
    for name in of_usual.keys() - {"idp_identifier"}:
        assert of_other[name]["due_to_settings"] == 0, name
        assert of_other[name]["same"] == of_other[name]["users"], name


def test_values_that_break_a_rule_are_counted(sync: InProcessSync) -> None:
    """The name of a school is no EPPN."""
    found = preview(sync, sources={"eppn": ["extensionAttribute2"]})

    assert (
        found.summary.counts[Outcome.DEAD_LETTERED]
        >= found.as_json()["mapping"]["eppn"]["invalid"]
        > PEOPLE / 2
    )


def test_an_attribute_that_is_turned_off_is_lost(
    sync: InProcessSync, capsys: pytest.CaptureFixture[str]
) -> None:
    found = preview(
        sync, sources={"city": []}, scope={"exclude": [{"source": "department", "starts_with": "Zz"}]}
    )

    assert found.as_json()["no_longer_synced"] == ["city"]
    assert "department:starts_with=Zz" in printed(found, capsys)


def test_a_run_that_changes_users_keeps_no_comparison(sync: InProcessSync) -> None:
    run = sync.run()
    assert sync.store.mapping_comparisons.for_run(run.run.id) == {}


def test_a_preview_tells_what_each_source_holds_and_proposes_one(
    sync: InProcessSync, capsys: pytest.CaptureFixture[str]
) -> None:
    """How many users have a value, how many share one, and how many have Skolon's; no value is kept."""
    found = preview(sync, sources={"eppn": ["extensionAttribute4"]})

    shown = found.as_json()["source_facts"]
    users = shown["users"]
    assert users == found.as_json()["mapping"]["eppn"]["users"]
    eppn = shown["attributes"]["eppn"]
    assert eppn["extensionAttribute4"]["filled"] == eppn["extensionAttribute9"]["filled"] == 0
    mail = eppn["mail"]
    assert 0.9 * users < mail["filled"] <= users
    assert 0.8 * users < mail["agrees"] <= mail["compared"] <= mail["filled"]
    # The name of the school is no EPPN, and all users share it.
    school = eppn["extensionAttribute2"]
    assert school["invalid"] == school["filled"] > PEOPLE / 2
    assert school["shared"] > PEOPLE / 2
    (proposal,) = (each for each in found.as_json()["proposals"] if each["attribute"] == "eppn")
    assert (proposal["source"], proposal["first"]) == ("mail", "extensionAttribute4")
    assert f"Proposal for EPPN: mail first. It has the same value as Skolon for {mail['agrees']}" in printed(
        found, capsys
    )
    with sync.store.database.transaction() as connection:
        kept = connection.exec_driver_sql(
            "SELECT source_facts FROM receipts WHERE source_facts IS NOT NULL"
        ).scalars()
        assert "@" not in "".join(kept)


def test_the_mapping_of_the_guide_needs_no_proposal(sync: InProcessSync) -> None:
    """Its sources agree with Skolon as well as any other."""
    sync.run()
    found = preview(sync, sources={"city": []})
    assert found.as_json()["proposals"] == []
    usual = sync.run(dry_run=True)
    assert sync.store.source_facts.for_run(usual.run.id).users == 0
