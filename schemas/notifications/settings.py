"""Settings of notifications: who is told, of what, when, and in which language."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from schemas.reports.remedy import Language, Owner
from schemas.tenants.schedule import moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: The audience that is told of all tenants; the others are tenants, by their keys, which are never blank.
OPERATORS: Final = ""

#: The clock of what is told of all tenants.
OPERATORS_TIME_ZONE: Final = "Europe/Stockholm"

#: Who can be sent a list of what there is to correct.
REPAIR_OWNERS: Final = (Owner.ENTRA, Owner.SKOLON, Owner.ADMINISTRATOR)

#: When a list is sent, on its day.
REPAIR_TIME: Final = dt.time(7)

MAX_RECIPIENTS: Final = 20
MAX_ADDRESS: Final = 254  # RFC 5321 section 4.5.3.1.3
MAX_URL: Final = 500
MAX_FAILED: Final = 1_000_000
MAX_DAYS: Final = 365

#: A mail address as servers take it without an extension: no quotes, no comments, no other letters.
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])\Z"
)
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z")


class Weekday(StrEnum):
    """A day of the week, in the order of ISO 8601."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class SettingFault(StrEnum):
    """What is wrong with a setting."""

    NOT_AN_ADDRESS = "not_an_address"
    TOO_MANY = "too_many"
    NOT_A_URL = "not_a_url"
    NOT_HTTPS = "not_https"
    #: It is within a network, or not https.
    NOT_PUBLIC = "not_public"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_TIME = "not_a_time"
    NO_SUCH_WORD = "no_such_word"


@dataclass(frozen=True, kw_only=True)
class NotificationSettings:
    """How an audience is told.

    Mail goes to the `recipients`, and a webhook to `webhook_url` once there is a secret to sign it with. It
    is told when more than `most_failed` users fail, and when no user was confirmed as right for
    `unconfirmed_days` (None: never). From `quiet_from` to `quiet_to` (HH:MM, by the tenant's clock) nothing
    is
    told; it is told afterwards, if it is still so. On `repair_day` those who must act are sent a list of what
    there is to correct, by who they are.
    """

    recipients: tuple[str, ...] = ()
    webhook_url: str | None = None
    most_failed: int = 10
    unconfirmed_days: int | None = 7
    quiet_from: str | None = None
    quiet_to: str | None = None
    language: Language = Language.SWEDISH
    repair_day: Weekday | None = None
    repair_recipients: Mapping[Owner, tuple[str, ...]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "recipients": list(self.recipients),
            "webhook_url": self.webhook_url,
            "most_failed": self.most_failed,
            "unconfirmed_days": self.unconfirmed_days,
            "quiet_from": self.quiet_from,
            "quiet_to": self.quiet_to,
            "language": str(self.language),
            "repair_day": self.repair_day and str(self.repair_day),
            **{f"repair_{owner}": list(self.repair_recipients.get(owner, ())) for owner in REPAIR_OWNERS},
        }

    @property
    def tells_problems(self) -> bool:
        """Whether there is a way to tell what is wrong."""
        return bool(self.recipients or self.webhook_url)

    @property
    def addresses(self) -> frozenset[str]:
        """All addresses that mail may go to, each in one spelling."""
        every = (self.recipients, *self.repair_recipients.values())
        return frozenset({each.lower(): each for addresses in every for each in addresses}.values())

    def has_address(self, address: str) -> bool:
        """Say whether mail may go to an address, whatever its capitals."""
        return address.lower() in {each.lower() for each in self.addresses}

    def is_quiet(self, now: dt.datetime, time_zone: str) -> bool:
        """Say whether nothing is told at the aware time `now`, by a zone's clock."""
        if self.quiet_from is None or self.quiet_to is None:
            return False
        shown = now.astimezone(ZoneInfo(time_zone)).strftime("%H:%M")
        if self.quiet_from < self.quiet_to:
            return self.quiet_from <= shown < self.quiet_to
        return shown >= self.quiet_from or shown < self.quiet_to

    def repair_due(self, now: dt.datetime, time_zone: str) -> dt.datetime | None:
        """Return the last moment up to `now` (aware) at which a list was due; None if none is sent."""
        if self.repair_day is None or not any(self.repair_recipients.values()):
            return None
        zone = ZoneInfo(time_zone)
        today = now.astimezone(zone).date()
        back = (today.weekday() - list(Weekday).index(self.repair_day)) % 7
        for days in (back, back + 7):
            due = moment_of(dt.datetime.combine(today - dt.timedelta(days=days), REPAIR_TIME), zone)
            if due <= now:
                return due
        return None


@dataclass(frozen=True, kw_only=True)
class SavedSettings:
    """The settings of an audience as they are stored; `secret_set` says when its webhooks got a secret."""

    audience: str
    settings: NotificationSettings
    secret_set: dt.datetime | None = None

    @property
    def state(self) -> str:
        """A digest of the settings, to see whether they have changed since."""
        what = json.dumps([self.settings.as_json(), str(self.secret_set)], sort_keys=True)
        return hashlib.sha256(what.encode()).hexdigest()[:16]


#: What a form or a program has sent, by the names of `NotificationSettings.as_json`.
Faults = dict[str, SettingFault]


def changed_settings(
    before: NotificationSettings, changes: Mapping[str, Any]
) -> tuple[NotificationSettings, Faults]:
    """Return settings with what `changes` names, each as `as_json` writes it, and what is wrong with it."""
    faults: Faults = {}
    made: dict[str, Any] = {}
    repair = dict(before.repair_recipients)
    for name, value in changes.items():
        if name in _REPAIR:
            repair[_REPAIR[name]] = _addresses(name, value, faults)
        elif name in _READERS:
            made[name] = _READERS[name](name, value, faults)
        else:
            faults[name] = SettingFault.NO_SUCH_WORD
    if faults:
        return before, faults
    after = replace(before, **made, repair_recipients={owner: each for owner, each in repair.items() if each})
    if (after.quiet_from is None) != (after.quiet_to is None) or (
        after.quiet_from is not None and after.quiet_from == after.quiet_to
    ):
        return before, {"quiet_to": SettingFault.NOT_A_TIME}
    return after, {}


def _addresses(name: str, value: object, faults: Faults) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        faults[name] = SettingFault.NOT_AN_ADDRESS
        return ()
    # In no known mailbox do capitals matter: two spellings are one address, as it was written first.
    found = tuple({each.lower(): each for each in map(str.strip, reversed(value)) if each}.values())[::-1]
    if len(found) > MAX_RECIPIENTS:
        faults[name] = SettingFault.TOO_MANY
    elif not all(is_mail_address(each) for each in found):
        faults[name] = SettingFault.NOT_AN_ADDRESS
    return found


def is_mail_address(text: str) -> bool:
    """Say whether mail can be sent to an address: without quotes, comments and letters beyond ASCII."""
    return len(text) <= MAX_ADDRESS and _ADDRESS.match(text) is not None


def _url(name: str, value: object, faults: Faults) -> str | None:
    if value is None or value == "":
        return None
    fault = SettingFault.NOT_A_URL
    if isinstance(value, str) and len(value) <= MAX_URL and value.isascii() and value.isprintable():
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            parts = None
        if parts is not None and parts.hostname and "@" not in parts.netloc and not set(" #\\") & set(value):
            if parts.scheme in {"https", "http"}:
                return value
            fault = SettingFault.NOT_HTTPS
    faults[name] = fault
    return None


def _most_failed(name: str, value: object, faults: Faults) -> int:
    return _number(name, value, faults, 0, MAX_FAILED)


def _days(name: str, value: object, faults: Faults) -> int | None:
    return None if value is None else _number(name, value, faults, 1, MAX_DAYS)


def _number(name: str, value: object, faults: Faults, least: int, most: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    faults[name] = SettingFault.NOT_A_NUMBER
    return least


def _time(name: str, value: object, faults: Faults) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and _TIME.match(value):
        return value
    faults[name] = SettingFault.NOT_A_TIME
    return None


def _language(name: str, value: object, faults: Faults) -> Language | None:
    if value in list(Language):
        return Language(str(value))
    faults[name] = SettingFault.NO_SUCH_WORD
    return None


def _weekday(name: str, value: object, faults: Faults) -> Weekday | None:
    if value is None:
        return None
    if value in list(Weekday):
        return Weekday(str(value))
    faults[name] = SettingFault.NO_SUCH_WORD
    return None


_REPAIR: Final = {f"repair_{owner}": owner for owner in REPAIR_OWNERS}

#: What reads each setting, and notes what is wrong with it.
_READERS: Final[Mapping[str, Callable[[str, object, Faults], Any]]] = {
    "recipients": _addresses,
    "webhook_url": _url,
    "most_failed": _most_failed,
    "unconfirmed_days": _days,
    "quiet_from": _time,
    "quiet_to": _time,
    "language": _language,
    "repair_day": _weekday,
}
