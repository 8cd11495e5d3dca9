"""A user who fails and whose other values are written: what the pages say beforehand and afterwards."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING

import pytest

from sandbox.environment import TENANT_KEY, Environment
from tests.integration.hub.made_up_runs import text_of
from tests.integration.hub.users.test_users import PATH, entra_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.municipality.municipality import MadeUpUser
    from tests.integration.hub.browser import Browser


@pytest.fixture
def corrected(stand_ins: Environment) -> Iterator[MadeUpUser]:
    """Give a user with a bad personal number, whose surname has been corrected in Entra."""
    person = next(each for each in stand_ins.municipality if each.unwritten == ("ssn",))
    directory = next(iter(stand_ins.microsoft.directories.values()))
    there = person.entra["surname"]
    directory.change(entra_id(person), {"surname": "Rättad"})
    yield person
    directory.change(entra_id(person), {"surname": there})


def test_sync_now_says_what_is_written_although_the_user_fails(
    corrected: MadeUpUser, administrator: Browser
) -> None:
    """The values that are written stand there, then what cannot be, in words that fit before and after."""
    text = unescape(text_of(administrator.open(f"{PATH}{entra_id(corrected)}/sync/").text))
    assert "nothing would be written" not in text
    assert "this is written to Skolon:" in text
    assert "Last name: Will be changed" in text
    assert "Not everything can be written: Could not be updated" in text
    assert "It is not written, but holds back none of the user's other values." in text
    assert "SSN" in text
    assert "can be undone" in text


def test_the_page_of_the_user_says_it_too(corrected: MadeUpUser, browser: Browser) -> None:
    """The answer at the top counts what the table below says will be changed."""
    text = text_of(browser.open(PATH + entra_id(corrected)).text)
    count = sum(text.count(each) for each in ("Will be changed", "Will be filled in", "Will be emptied"))
    values = "value" if count == 1 else "values"
    assert f"will change {count} other {values} in Skolon all the same." in text


def test_nothing_is_undone_where_nothing_is_written(stand_ins: Environment, administrator: Browser) -> None:
    """Of a user who is right already the page does not speak of an undo."""
    person = next(each for each in stand_ins.municipality if each.outcome == "unchanged")
    text = text_of(administrator.open(f"tenants/{TENANT_KEY}/users/{entra_id(person)}/sync/").text)
    assert "nothing has to be written" in text
    assert "can be undone" not in text


def test_where_no_run_is_planned_the_button_below_is_named(
    stand_ins: Environment, administrator: Browser, browser: Browser
) -> None:
    """Who may press Sync now is told so; a reader, who has no such button, is not."""
    person = next(each for each in stand_ins.municipality if each.outcome == "updated")
    path, said = PATH + entra_id(person), "No run is planned: press Sync now, or start a run of all users"
    assert said in text_of(administrator.open(path).text)
    assert said not in text_of(browser.open(path).text)
