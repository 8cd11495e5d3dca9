"""The weekly lists: sent once on their day to those who must act, with a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

from administration.notifications.rounds import tick
from cli.notifications.senders import open_senders
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Stage
from schemas.runs.sync_result import Failure
from tests.integration.hub.made_up_runs import FAILED, USERS, finish, start
from tests.integration.notifications.conftest import TENANT
from tests.integration.notifications.test_telling import load_settings_of

if TYPE_CHECKING:
    from tests.integration.notifications.conftest import Scene

OTHER = Failure(reason=Reason.VALUE_TAKEN, stage=Stage.UPDATE, detail="eppn")
WEEK = dt.timedelta(days=7)


def test_each_side_is_sent_its_list_once_a_week(scene: Scene) -> None:
    """In the tenant's language, as a file that a spreadsheet opens; not at once, and no empty one."""
    run = start(scene.store, TENANT, "one")
    finish(scene.store, run, {USERS[0]: FAILED, USERS[1]: OTHER, USERS[2]: FAILED})
    scene.run("set", TENANT, "--no-recipients", "--no-webhook", "--language", "sv")
    receivers = ("--repair-entra", "it@exempel.example", "--repair-administrator", "chef@exempel.example")
    scene.run("set", TENANT, "--repair-day", "monday", *receivers)
    assert scene.send() == 0
    senders = open_senders(load_settings_of(scene.env), scene.store)
    later = [dt.datetime.now(dt.UTC) + WEEK + dt.timedelta(minutes=minutes) for minutes in (0, 1, 2)]
    assert [tick(at, senders=senders, store=scene.store) for at in later] == [1, 0, 0]

    [(recipient, message)] = scene.mail.mails
    assert recipient == "it@exempel.example"
    assert message["Subject"] == "Exempelkommun: Att rätta i Entra"
    body = message.get_body()
    assert body is not None
    assert "2 användare kunde inte uppdateras." in str(body.get_content())
    assert "https://hub.example/tenants/exempel/repair-list/" in str(body.get_content())
    [file] = message.iter_attachments()
    assert file.get_filename() == "exempel-entra.csv"
    content = file.get_payload(decode=True)
    assert isinstance(content, bytes)
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert [row[0] for row in rows] == ["Entra-id", USERS[0], USERS[2]]
    assert rows[1][1] == "Ett värde bryter mot en regel"

    finish(scene.store, start(scene.store, TENANT, "two"), {USERS[1]: OTHER})
    assert tick(later[2] + WEEK, senders=senders, store=scene.store) == 0
