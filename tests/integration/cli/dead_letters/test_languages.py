"""Why a user failed is told in Swedish and in English, from the message and from the database alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from devtools.commands import json_output, update_sync
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, texts_of
from schemas.details.kinds import DetailKind
from schemas.outcomes import Stage
from schemas.reports.remedy import Language
from schemas.runs.sync_result import Failure
from tests.integration.cli.dead_letters.factories import DeadLetterSeeder, seeded_dead_letters

if TYPE_CHECKING:
    from collections.abc import Iterator

SUSPICIOUS: Final = Detail(
    DetailKind.SUSPICIOUS_MATCH,
    skolon_user="s1",
    keys=("email",),
    agrees=("last_name",),
    differs=("first_name",),
)
SWEDISH: Final = (
    "användaren s1 i Skolon har samma e-post men är kanske en annan person (efternamn stämmer, "
    "förnamn skiljer sig)"
)
ENGLISH: Final = (
    "Skolon user s1 has the same E-mail, but may be another person "
    "(the same: last name; different: first name)"
)


@pytest.fixture
def seeder(env: dict[str, str]) -> Iterator[DeadLetterSeeder]:
    with seeded_dead_letters(env, "exempel") as found:
        run = found.run(["u1"])
        failure = Failure(
            reason=Reason.SUSPICIOUS_MATCH, stage=Stage.MATCH, detail=SUSPICIOUS, candidates=("s1",)
        )
        found.kill(run, ["u1"], failure)
        yield found


@pytest.mark.usefixtures("seeder")
@pytest.mark.parametrize(
    "command",
    [
        "dead-letters list --users",
        "dead-letters list --ungrouped",
        "dead-letters show --user u1",
        "users show exempel u1 --recorded",
        "matches list exempel",
    ],
)
def test_people_read_the_detail_in_both_languages(env: dict[str, str], command: str) -> None:
    """The advice stands in Swedish and English, and so does the detail that it points to."""
    shown = update_sync(*command.split(), env=env).stdout
    assert SWEDISH in shown
    assert ENGLISH in shown


@pytest.mark.usefixtures("seeder")
def test_json_has_the_kind_the_parameters_and_the_texts(env: dict[str, str]) -> None:
    """The English sentence keeps its key; a page makes the sentence of its language of the rest."""
    (message,) = json_output("dead-letters", "show", "--user", "u1", env=env)
    (failed,) = json_output("dead-letters", "list", "--users", env=env)["users"]
    (user,) = json_output("users", "show", "exempel", "u1", "--recorded", env=env)["users"]
    (pending,) = json_output("matches", "list", "exempel", env=env)["pending"]
    (receipt,) = json_output("runs", "show", "1", "--users", env=env)["users"]

    for found in (message, failed, user, user["history"][0], pending, receipt):
        assert found["detail"] == ENGLISH
        assert found["structured_detail"] == {
            **SUSPICIOUS.as_json(),
            "texts": {"sv": SWEDISH, "en": ENGLISH},
        }


def test_a_detail_of_a_newer_version_keeps_its_sentence(env: dict[str, str]) -> None:
    """While versions change, an older command shows the English sentence of a kind that it does not know."""
    detail = Detail(DetailKind.TEXT, text="of tomorrow")
    with seeded_dead_letters(env, "exempel") as seeder:
        run = seeder.run(["u1"])
        seeder.kill(run, ["u1"], Failure(reason=Reason.BUG, stage=Stage.MAP, detail=detail))
        body = seeder.bodies()[0].replace(b'"kind":"text"', b'"kind":"unheard"')
        assert b"unheard" in body
        with seeder.broker.browse_dead_letters("user-sync") as browser:
            for found in browser:
                browser.ack(found)
        seeder.put("user-sync", body)
    told = [each["detail"] for each in json_output("dead-letters", "show", "--user", "u1", env=env)]

    assert told == ["of tomorrow"]
    assert set(texts_of("of tomorrow")) == set(Language)
