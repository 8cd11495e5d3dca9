"""Looks at settings before they are stored: a secret that is none, and match keys that find no user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schemas.errors import UsageError
from schemas.tenants.credentials.client_secret import SHORTEST_USUAL, client_secret_fault, is_unusually_short
from schemas.users.attributes import ATTRIBUTE_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.tenants.tenant import Tenant
    from schemas.users.attributes import Attribute

#: Where an app's secret is, in the words of Entra's pages.
ENTRA_APP: Final = "Entra admin centre > App registrations > the app > Certificates & secrets"


@dataclass(frozen=True, kw_only=True)
class SettingsCheck:
    """`warnings` have a sentence each; `lost_keys` are the match keys that the change switches off."""

    warnings: tuple[str, ...]
    lost_keys: tuple[Attribute, ...]


def check_settings(
    after: Tenant, changes: Mapping[str, Any], *, before: Tenant | None = None
) -> SettingsCheck:
    """Look at a tenant as it will be, and as it was unless it is new; `changes` may name a new secret.

    Raises `UsageError` for a secret that is none, and if no match key with a source is left.
    """
    secret = changes.get("client_secret")
    warnings = []
    if isinstance(secret, str):
        fault = client_secret_fault(secret)
        if fault is not None:
            raise UsageError(f"This is no client secret: {fault}. {ENTRA_APP}: copy the Value of a new one.")
        if is_unusually_short(secret):
            warnings.append(
                f"the client secret is shorter than {SHORTEST_USUAL} characters, and Entra's have 40: "
                f"'tenants check {after.key}' tries it"
            )
    unused = keys_without_source(after)
    if len(unused) == len(after.match_keys):
        raise UsageError(
            f"No match key would have a source ({_titles(unused)}), so no user would be found in Skolon. "
            "Give one of them a source, or name other match keys."
        )
    lost = tuple(key for key in unused if before is None or key not in keys_without_source(before))
    if lost:
        warnings.append(
            f"{_titles(lost)} would have no source and is a match key: no user is found by it any more. "
            "Give it a source, or leave it out of the match keys"
        )
    released = () if before is None else sorted(before.needs_approval - after.needs_approval)
    if released:
        warnings.append(
            f"a change of the sources of {_titles(released)} will need no second person's approval any more: "
            "one person alone can make it. The Data Hub's audit does not have what a command changes"
        )
    return SettingsCheck(warnings=tuple(warnings), lost_keys=lost)


def keys_without_source(tenant: Tenant) -> tuple[Attribute, ...]:
    """Return the match keys that no property of Entra fills: users are not searched by them."""
    return tuple(key for key in tenant.match_keys if not tenant.sources[key])


def lost_match_keys(after: Tenant, before: Tenant) -> tuple[Attribute, ...]:
    """Return the match keys with a source by which users are found before a change, and not after it."""
    kept = set(after.match_keys) - set(keys_without_source(after))
    return tuple(
        key for key in before.match_keys if key not in keys_without_source(before) and key not in kept
    )


def lost_key_warning(lost: Sequence[Attribute]) -> str:
    """Return in words that match keys would find no user any more."""
    one = len(lost) == 1
    return f"{_titles(lost)} {'is a match key' if one else 'are match keys'}: no user would be found in " + (
        "Skolon by it any more" if one else "Skolon by them any more"
    )


def _titles(attributes: Iterable[Attribute]) -> str:
    return ", ".join(ATTRIBUTE_TABLE[each].title for each in attributes)
