"""Changes who is told, of what and when: for the command line and the Data Hub alike."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from administration.hub.actions import carry_out
from clients.notifications.addresses import may_be_asked
from clients.notifications.webhook import new_secret
from schemas.errors import UsageError
from schemas.hub.action import Action, ActionRefusal, ActionRefusedError
from schemas.hub.session import AuditKind
from schemas.notifications.settings import OPERATORS, SettingFault, changed_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.notifications.addresses import Networks
    from schemas.hub.action import Submission
    from schemas.notifications.settings import Faults
    from store.store import Store

#: What is wrong with a setting, for programs and commands.
FAULT_TEXTS: Final[Mapping[SettingFault, str]] = {
    SettingFault.NOT_AN_ADDRESS: "Not an e-mail address, or a list of such, without names.",
    SettingFault.TOO_MANY: "More than 20 addresses.",
    SettingFault.NOT_A_URL: "Not a URL that starts with https://, without user and fragment.",
    SettingFault.NOT_HTTPS: "Not a URL that starts with https://.",
    SettingFault.NOT_PUBLIC: "Not an address that the whole internet can reach by https://.",
    SettingFault.NOT_A_NUMBER: "Not a number that it can be.",
    SettingFault.NOT_A_TIME: "Quiet hours have a first and another last time, such as 22:00 and 06:30.",
    SettingFault.NO_SUCH_WORD: "Not one of the words that it can be.",
}


class SettingsFaultError(UsageError):
    """Settings are not as they can be; `by_field` says which and why."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(
            "Invalid settings: " + " ".join(f"{name}: {FAULT_TEXTS[fault]}" for name, fault in faults.items())
        )
        self.by_field = faults


def change_settings(
    audience: str,
    changes: Mapping[str, Any],
    *,
    networks: Networks,
    store: Store,
    seen: str | None = None,
) -> None:
    """Change what `changes` names; `seen` is the state that was looked at.

    A webhook may go to the operator's own `networks` too.

    Raises `SettingsFaultError`, `ActionRefusedError` if the settings were changed meanwhile, and `UsageError`
    without such a tenant.
    """
    faults = _address_faults(audience, changes, networks, store)
    if faults := faults or store.notification_settings.change(audience, changes, seen=seen):
        raise SettingsFaultError(faults)


def change_settings_once(  # noqa: PLR0913 - what is changed, by whom, and where it may lead
    tenant: str,
    changes: Mapping[str, Any],
    seen: str | None,
    submission: Submission,
    *,
    networks: Networks,
    store: Store,
) -> None:
    """Change a tenant's settings, once for each key of a submission; raises as `change_settings` does."""

    def change() -> dict[str, Any]:
        change_settings(tenant, changes, networks=networks, store=store, seen=seen)
        return {}

    action = Action(
        kind=AuditKind.NOTIFICATIONS_CHANGED,
        tenant=tenant,
        key=submission.key,
        # Of addresses the table of actions has no more than that they were the same.
        fields={"changes": _digest(submission.key, changes)},
    )
    carry_out(action, submission.actor, change, store=store)


def _address_faults(audience: str, changes: Mapping[str, Any], networks: Networks, store: Store) -> Faults:
    """Return all faults if the webhook's address is one that is never asked, and none otherwise."""
    before = store.notification_settings.get(audience).settings
    _, faults = changed_settings(before, changes)
    url = changes.get("webhook_url")
    if not url or "webhook_url" in faults or may_be_asked(url, networks):
        return {}
    return {**faults, "webhook_url": SettingFault.NOT_PUBLIC}


def make_secret(audience: str, *, store: Store) -> str:
    """Have webhooks signed with a new secret from now on, and return it, this once.

    Raises `ActionRefusedError` if there is no address that they could be sent to.
    """
    if store.notification_settings.get(audience).settings.webhook_url is None:
        message = "There is no webhook that a secret could be made for."
        raise ActionRefusedError(ActionRefusal.NO_WEBHOOK, message)
    secret = new_secret()
    store.notification_settings.set_secret(audience, secret)
    return secret


def make_secret_once(tenant: str, submission: Submission, *, store: Store) -> str | None:
    """Make a tenant's new secret, once for each key; None if that was done before: it is not told again."""
    made: list[str] = []

    def make() -> dict[str, Any]:
        made.append(make_secret(tenant, store=store))
        return {}

    action = Action(kind=AuditKind.WEBHOOK_SECRET_MADE, tenant=tenant, key=submission.key)
    carry_out(action, submission.actor, make, store=store)
    return made[0] if made else None


def record_change(kind: AuditKind, member: int, *, store: Store) -> None:
    """Note that a member has changed the operators' own settings."""
    store.hub_audit.record(kind, member=member)


def audience_name(audience: str) -> str:
    """Return how commands call an audience."""
    return "the operators" if audience == OPERATORS else f"tenant '{audience}'"


def _digest(key: str, changes: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{key} {json.dumps(changes, sort_keys=True)}".encode()).hexdigest()
