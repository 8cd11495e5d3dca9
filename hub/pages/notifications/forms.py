"""The form of notifications: what was sent, as settings and as it is shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from schemas.notifications.settings import MAX_RECIPIENTS, OPERATORS, REPAIR_OWNERS
from schemas.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.notifications.settings import NotificationSettings

#: The lists of addresses of the form.
REPAIR_FIELDS: Final = tuple(f"repair_{owner}" for owner in REPAIR_OWNERS)

_NUMBERS: Final = ("most_failed", "unconfirmed_days")
_TEXTS: Final = ("webhook_url", "quiet_from", "quiet_to", "language", "repair_day")

#: What an audience has no field for.
_FOR_TENANTS: Final = ("unconfirmed_days", "repair_day", *REPAIR_FIELDS)

#: Characters of a field that are read, and digits of a number.
_LONGEST: Final = 20_000
_DIGITS: Final = 7


def shown_settings(settings: NotificationSettings) -> dict[str, str]:
    """Return what is saved as the form shows it."""
    return {name: _shown(value) for name, value in settings.as_json().items()}


def sent_settings(audience: str, form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what a form has sent: as changes of the settings, and as it is shown again."""
    names = [
        name
        for name in ("recipients", *REPAIR_FIELDS, *_NUMBERS, *_TEXTS)
        if audience != OPERATORS or name not in _FOR_TENANTS
    ]
    sent = {name: form.get(name, "")[:_LONGEST].strip() for name in names}
    return (
        {name: _read(name, text) for name, text in sent.items()},
        {name: "\n".join(one_line(line) for line in text.splitlines()) for name, text in sent.items()},
    )


def _read(name: str, text: str) -> Any:
    if name == "recipients" or name in REPAIR_FIELDS:
        # One more than can be is enough to say so.
        return text.replace(",", "\n").replace(";", "\n").split()[: MAX_RECIPIENTS + 1]
    if not text:
        return None
    if name in _NUMBERS and text.isascii() and text.isdigit() and len(text) <= _DIGITS:
        return int(text)
    return text


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "\n".join(value)
    return "" if value is None else str(value)
