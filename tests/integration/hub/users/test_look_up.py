"""Looking a user up by what Skolon has: its EPPN and its id; and by a name as people type and paste it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.skolon.faults import Fault
from sandbox.skolon.schema import SKOLON_SCHEMA
from schemas.fields import is_object_id
from tests.integration.cli.tenants.test_preview import user_with
from tests.integration.hub.made_up_runs import text_of
from tests.integration.hub.users.test_users import PATH, entra_id, look_up

if TYPE_CHECKING:
    from typing import Any

    from sandbox.environment import Environment
    from sandbox.municipality.municipality import MadeUpUser
    from tests.integration.hub.browser import Browser


def by_external_id(stand_ins: Environment) -> list[tuple[MadeUpUser, dict[str, Any]]]:
    """Return each person whom Skolon knows by the id in Entra, with the Skolon user."""
    people = {entra_id(each): each for each in stand_ins.municipality if each.outcome != "out_of_scope"}
    users = [(people.get(str(user.get("externalId", "")).lower()), user) for user in stand_ins.skolon_users()]
    return [(person, user) for person, user in users if person is not None]


def test_a_user_is_found_by_the_eppn_that_skolon_has(stand_ins: Environment, browser: Browser) -> None:
    """Also where Entra has another one: it is what the user signs in with today."""
    for person, user in by_external_id(stand_ins):
        eppn = user.get(SKOLON_SCHEMA, {}).get("eppn")
        if eppn and eppn.lower() not in str(person.entra).lower():
            break
    else:
        raise AssertionError("nobody has another EPPN in Skolon")
    assert look_up(browser, eppn).url.endswith(PATH + entra_id(person))


def test_a_user_is_found_by_the_id_in_skolon(stand_ins: Environment, browser: Browser) -> None:
    """No run has to know it; its address leads to the user, too, and an id that nobody has to none."""
    person, user = by_external_id(stand_ins)[0]
    assert look_up(browser, user["id"]).url.endswith(PATH + entra_id(person))
    assert browser.open(PATH + user["id"]).url.endswith(PATH + entra_id(person))
    assert browser.open(PATH + "6a1c0c3e-0000-4000-8000-0000000000ff").status_code == 404
    assert browser.open(PATH + "19121212-1212").status_code == 404


def test_while_skolon_is_away_nobody_is_said_not_to_be_there(
    stand_ins: Environment, browser: Browser
) -> None:
    """What Entra does not know, only Skolon could: the page says that it does not answer."""
    _, user = by_external_id(stand_ins)[0]
    stand_ins.skolon.faults.add(Fault(kind="status", status=503, times=None))
    text = text_of(look_up(browser, "ingen@exempel.example").text)
    assert "Entra or Skolon does not answer just now." in text
    assert "No user was found" not in text
    # An id in Skolon has the form of one in Entra.
    assert is_object_id(user["id"])
    text = text_of(look_up(browser, user["id"]).text)
    assert "Entra or Skolon does not answer just now." in text
    page = browser.open(PATH + user["id"])
    assert (page.status_code, "is away" in text_of(page.text)) == (503, True)


def test_spaces_of_a_name_do_not_matter(stand_ins: Environment, browser: Browser) -> None:
    """As pasted from a list of the class."""
    person = user_with(stand_ins, "updated")
    name = str(person.entra["displayName"])
    assert " " in name
    assert look_up(browser, name.replace(" ", "  ")).url.endswith(PATH + entra_id(person))


def test_ids_in_a_detail_lead_to_their_users(stand_ins: Environment, browser: Browser) -> None:
    """The holder of a taken value, in Entra and in Skolon, is one click away; the own id is no link."""
    person = user_with(stand_ins, "dead_lettered", "value_taken")
    page = look_up(browser, entra_id(person))
    answer = page.text.partition('aria-labelledby="answer"')[2].partition("</section>")[0]
    links = set(re.findall(r'href="/([^"]+)"', answer))
    assert len(links) == 2
    reached = {browser.open(link).url for link in links}
    assert len(reached) == 1
    assert entra_id(person) not in str(reached)
    assert "A user" in text_of(browser.open(links.pop()).text)
