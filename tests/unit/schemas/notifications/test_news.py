"""What is worth telling, and when it is told again: the rule alone, over values."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from schemas.dead_letter_reasons import Reason
from schemas.notifications.news import (
    Event,
    NewsKind,
    change_of,
    findings,
    problems_json,
    restore_problems,
)
from schemas.notifications.settings import (
    NotificationSettings,
    SettingFault,
    Weekday,
    changed_settings,
    is_mail_address,
)
from schemas.outcomes import Cause
from schemas.reports.remedy import Owner
from schemas.tenants.tenant_status import Problem, ProblemKind, TenantStatus, UserTotals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.notifications.news import Change, Told

TODAY = dt.date(2026, 11, 27)
NOON = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)


def status(*problems: Problem, enabled: bool = True) -> TenantStatus:
    return TenantStatus(
        tenant="exempel",
        name="Exempelkommun",
        enabled=enabled,
        last_run=None,
        open_run=None,
        users=UserTotals(failed={}),
        scope_change=None,
        next_due=None,
        client_secret_expires=None,
        problems=problems,
    )


def problem(kind: ProblemKind, **fields: Any) -> Problem:
    return Problem(kind=kind, owner=Owner.ADMINISTRATOR, **fields)


def expires(in_days: int) -> Problem:
    kind = ProblemKind.SECRET_EXPIRED if in_days < 0 else ProblemKind.SECRET_EXPIRES
    return problem(kind, expires=dt.date(2026, 12, 31))


def changes(
    told: Mapping[NewsKind, Told], *problems: Problem, today: dt.date = TODAY, most_failed: int = 0
) -> Change:
    return change_of(status(*problems), told, most_failed=most_failed, today=today)


def test_a_secret_is_told_at_each_milestone_and_on_no_other_day() -> None:
    """30, 7 and 1 days before, and when it has expired."""
    end, days = dt.date(2026, 12, 31), []
    told: dict[NewsKind, Told] = {}
    for left in range(30, -3, -1):
        today = end - dt.timedelta(days=left)
        change = changes(told, expires(left), today=today)
        told = dict(change.told)
        days += [left] * len(change.news)
    assert days == [30, 7, 1, -1]


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (Cause.GUARD_EXCEEDED, NewsKind.QUESTION),
        (Cause.SUSPICIOUS_LIST, NewsKind.QUESTION),
        (Cause.ENTRA_PERMISSION, NewsKind.RUN_HALTED),
    ],
)
def test_another_halted_run_is_told_and_the_former_one_is_not_well_again(
    cause: Cause, kind: NewsKind
) -> None:
    """One thing is wrong for another cause: that is one notification."""
    first = changes({}, problem(ProblemKind.RUN_HALTED, run=5, cause=cause))
    second = changes(first.told, problem(ProblemKind.RUN_HALTED, run=7, cause=cause))
    assert [(each.kind, each.event) for each in first.news + second.news] == [(kind, Event.PROBLEM)] * 2
    assert [each.event for each in changes(second.told).news] == [Event.WELL_AGAIN]


def test_what_is_not_chosen_to_be_told_is_not_told() -> None:
    """A schedule that is late, or a producer that is away, is on the pages alone."""
    kinds = set(ProblemKind) - {
        ProblemKind.RUN_HALTED,
        ProblemKind.USERS_FAILED,
        ProblemKind.NOT_CONFIRMED,
        ProblemKind.SECRET_EXPIRED,
        ProblemKind.SECRET_EXPIRES,
    }
    assert findings(status(*map(problem, kinds)), most_failed=0, today=TODAY) == {}


def test_problems_come_back_as_they_were_stored() -> None:
    """All that a notification says of them."""
    some = (
        problem(ProblemKind.RUN_HALTED, run=5, cause=Cause.GUARD_EXCEEDED, of_undo=True, since=NOON),
        problem(ProblemKind.USERS_FAILED, reason=Reason.COLLISION, users=3),
        problem(ProblemKind.SECRET_EXPIRES, expires=TODAY),
    )
    assert restore_problems(problems_json(some)) == some


@pytest.mark.parametrize(
    ("hours", "time", "quiet"),
    [
        (("22:00", "06:30"), "22:00", True),
        (("22:00", "06:30"), "03:00", True),
        (("22:00", "06:30"), "06:30", False),
        (("12:00", "13:00"), "12:59", True),
        (("12:00", "13:00"), "13:00", False),
        ((None, None), "03:00", False),
    ],
)
def test_quiet_hours_go_by_the_tenants_clock(
    hours: tuple[str | None, str | None], time: str, *, quiet: bool
) -> None:
    """Also over midnight; their end is no part of them."""
    settings = NotificationSettings(quiet_from=hours[0], quiet_to=hours[1])
    shown = dt.datetime.fromisoformat(f"2026-11-27T{time}+01:00")
    assert settings.is_quiet(shown, "Europe/Stockholm") is quiet


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-27T12:00Z", "2026-11-23T06:00Z"),
        ("2026-11-30T05:59Z", "2026-11-23T06:00Z"),
        ("2026-11-30T06:00Z", "2026-11-30T06:00Z"),
        ("2026-07-06T05:00Z", "2026-07-06T05:00Z"),
    ],
)
def test_a_list_is_due_on_its_day_at_seven(now: str, due: str) -> None:
    """By the clock of the tenant's zone, in summer and winter; without receivers never."""
    settings = NotificationSettings(
        repair_day=Weekday.MONDAY, repair_recipients={Owner.ENTRA: ("it@exempel.example",)}
    )
    moment = dt.datetime.fromisoformat(now)
    assert settings.repair_due(moment, "Europe/Stockholm") == dt.datetime.fromisoformat(due)
    assert NotificationSettings(repair_day=Weekday.MONDAY).repair_due(moment, "Europe/Stockholm") is None


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("recipients", ["no address"], SettingFault.NOT_AN_ADDRESS),
        ("recipients", ["a@b.example\r\nBcc: x@y.example"], SettingFault.NOT_AN_ADDRESS),
        ("recipients", "a@b.example", SettingFault.NOT_AN_ADDRESS),
        ("recipients", [7], SettingFault.NOT_AN_ADDRESS),
        ("recipients", [f"a{number}@b.example" for number in range(21)], SettingFault.TOO_MANY),
        ("webhook_url", "ftp://hub.example", SettingFault.NOT_HTTPS),
        ("webhook_url", "https://user@hub.example", SettingFault.NOT_A_URL),
        ("webhook_url", "https://hub.example:99999/", SettingFault.NOT_A_URL),
        ("webhook_url", "https://[::1", SettingFault.NOT_A_URL),
        ("webhook_url", 7, SettingFault.NOT_A_URL),
        ("most_failed", -1, SettingFault.NOT_A_NUMBER),
        ("most_failed", True, SettingFault.NOT_A_NUMBER),
        ("unconfirmed_days", 0, SettingFault.NOT_A_NUMBER),
        ("quiet_from", "24:00", SettingFault.NOT_A_TIME),
        ("language", "no", SettingFault.NO_SUCH_WORD),
        ("repair_day", "someday", SettingFault.NO_SUCH_WORD),
        ("repair_operator", [], SettingFault.NO_SUCH_WORD),
        ("client_secret", "x", SettingFault.NO_SUCH_WORD),
    ],
)
def test_a_setting_that_cannot_be_is_named(name: str, value: object, fault: SettingFault) -> None:
    """And nothing is changed."""
    before = NotificationSettings()
    assert changed_settings(before, {"most_failed": 3, name: value})[1] == {name: fault}
    assert changed_settings(before, {"most_failed": 3, name: value})[0] == before


def test_quiet_hours_have_two_times() -> None:
    """One alone, or the same twice, is none."""
    for quiet in ({"quiet_from": "22:00"}, {"quiet_from": "22:00", "quiet_to": "22:00"}):
        assert changed_settings(NotificationSettings(), quiet)[1] == {"quiet_to": SettingFault.NOT_A_TIME}


def test_settings_can_be_read_as_they_are_written() -> None:
    """What `show --json` prints, `set --from` takes."""
    settings = NotificationSettings(
        recipients=("it@exempel.example",),
        quiet_from="22:00",
        quiet_to="06:00",
        repair_day=Weekday.FRIDAY,
        repair_recipients={Owner.SKOLON: ("skola@exempel.example",)},
    )
    assert changed_settings(NotificationSettings(), settings.as_json()) == (settings, {})


def test_an_address_has_no_name_and_no_quotes() -> None:
    """What a header would take for more than one address is none."""
    assert is_mail_address("o'neil.x+hub@sub.exempel-kommun.example")
    for text in (
        "A <a@b.example>",
        "a@b.example,c@d.example",
        "å@b.example",
        "a@b",
        "@b.example",
        "a@b..example",
    ):
        assert not is_mail_address(text)
