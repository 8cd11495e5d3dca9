"""Who must act on a taken value: Entra, if a user there has it too, and else Skolon. Each command says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, joined
from schemas.details.kinds import DetailKind
from schemas.outcomes import Stage
from schemas.runs.collision import Collision
from schemas.runs.sync_result import Failure
from schemas.users.attributes import Attribute
from tests.integration.cli.dead_letters.factories import seeded_dead_letters

if TYPE_CHECKING:
    from collections.abc import Mapping

USER = "6a1c0c3e-0000-4000-8000-000000000001"
HOLDER = "6a1c0c3e-0000-4000-8000-000000000002"


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


@pytest.mark.parametrize(("holder", "owner"), [(HOLDER, "entra"), (None, "skolon")])
def test_each_command_names_the_same(env: Mapping[str, str], holder: str | None, owner: str) -> None:
    """`status`, `dead-letters list`, its groups and `show`, and `users show` agree."""
    with seeded_dead_letters(env, "exempel") as seeder:
        seeder.kill(seeder.run([USER]), [USER], taken(holder))

    def printed(*arguments: str) -> Any:
        return json_output(*arguments, env=env)

    (failed,) = printed("dead-letters", "list", "--users")["users"]
    (group,) = printed("dead-letters", "list")["groups"]
    (user,) = printed("users", "show", "exempel", USER, "--recorded")["users"]
    # It ends with 1: something needs a person.
    problems = json.loads(update_sync("status", "--json", env=env).stdout)["tenants"][0]["problems"]
    (problem,) = [each for each in problems if each["kind"] == "users_failed"]
    (details,) = printed("dead-letters", "show", "--user", USER)

    assert {each["owner"] for each in (failed, group, user, problem, details)} == {owner}
    listed = update_sync("dead-letters", "list", "--users", env=env).stdout
    assert f"value_taken (who must act: {owner})" in listed
