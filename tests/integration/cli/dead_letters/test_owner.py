"""Who must act on a failure: each command says the same, of taken values and of what fails for most users."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, joined
from schemas.details.kinds import DetailKind
from schemas.outcomes import Outcome, Stage
from schemas.runs.collision import Collision
from schemas.runs.sync_result import Failure, SyncResult
from schemas.users.attributes import Attribute
from tests.integration.cli.dead_letters.factories import WRONG, seeded_dead_letters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

USER = "6a1c0c3e-0000-4000-8000-000000000001"
HOLDER = "6a1c0c3e-0000-4000-8000-000000000002"
OTHERS = tuple(f"6a1c0c3e-0000-4000-8000-00000000001{number}" for number in range(5))


def taken(holder: str | None) -> Failure:
    named = {} if holder is None else {"holder": holder}
    kind = DetailKind.VALUE_TAKEN_FOR_GOOD if holder is None else DetailKind.VALUE_TAKEN
    parts = Detail(kind, attribute="eppn", skolon_user="s-1", **named)
    return Failure(
        reason=Reason.VALUE_TAKEN,
        stage=Stage.UPDATE,
        # With another fault in one sentence, as a user may have several.
        detail=joined([parts, "ssn: another fault"]),
        collision=Collision(skolon_id="s-1", holder_entra_id=holder, attribute=Attribute.EPPN),
    )


def named_by_all(env: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what each command prints of the only failure of a user, who must act included."""

    def printed(*arguments: str) -> Any:
        return json_output(*arguments, env=env)

    failed = printed("dead-letters", "list", "--users")["users"][0]
    (group,) = printed("dead-letters", "list")["groups"]
    (user,) = printed("users", "show", "exempel", USER, "--recorded")["users"]
    # It ends with 1: something needs a person.
    problems = json.loads(update_sync("status", "--json", env=env).stdout)["tenants"][0]["problems"]
    (problem,) = [each for each in problems if each["kind"] == "users_failed"]
    (details,) = printed("dead-letters", "show", "--user", USER)
    return [failed, group, user, problem, details]


@pytest.mark.parametrize(("others", "owner"), [(OTHERS, "administrator"), ((), "entra")])
def test_what_fails_for_most_users_is_a_fault_of_the_settings(
    env: Mapping[str, str], others: Sequence[str], owner: str
) -> None:
    """So many people do not have a wrong value each: every command blames the source, and says what to do."""
    unchanged = SyncResult(outcome=Outcome.UNCHANGED, skolon_id="s-1")
    with seeded_dead_letters(env, "exempel") as seeder:
        run = seeder.run([USER, HOLDER, *others])
        seeder.store.receipts.finish(run, HOLDER, unchanged)
        seeder.kill(run, [USER, *others], WRONG)

    named = named_by_all(env)

    assert {each["owner"] for each in named} == {owner}
    advice = {each["explanation"]["en"]["fix"] for each in named if "explanation" in each}
    assert len(advice) == 1
    assert ("tenants preview --set" in advice.pop()) is (owner == "administrator")
    for command in (
        ("dead-letters", "list"),
        ("dead-letters", "list", "--users"),
        ("dead-letters", "show", "--user", USER),
        ("users", "show", "exempel", USER, "--recorded"),
    ):
        shown = update_sync(*command, env=env).stdout
        assert ("a source in the settings is probably wrong" in shown) is (owner == "administrator"), command


@pytest.mark.parametrize(("holder", "owner"), [(HOLDER, "entra"), (None, "skolon")])
def test_each_command_names_the_same(env: Mapping[str, str], holder: str | None, owner: str) -> None:
    """`status`, `dead-letters list`, its groups and `show`, and `users show` agree."""
    with seeded_dead_letters(env, "exempel") as seeder:
        seeder.kill(seeder.run([USER]), [USER], taken(holder))

    assert {each["owner"] for each in named_by_all(env)} == {owner}
    listed = update_sync("dead-letters", "list", "--users", env=env).stdout
    assert f"value_taken (who must act: {owner})" in listed
