"""Counts dead letters by queue, tenant and reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from administration.remedies import remedy_json
from schemas.reports.remedies import names_holder
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from administration.remedies import FailureOwners
    from schemas.dead_letter_reasons import Reason
    from schemas.messages.dead_letter import DeadLetter

#: The queue, the tenant if the dead letters name one, and the reason.
Kind = tuple[str, str | None, "Reason"]


@dataclass(kw_only=True)
class Group:
    """How many dead letters there are of a kind, and since when the first and the last of them are."""

    dead_letters: int = 0
    oldest: dt.datetime | None = None
    newest: dt.datetime | None = None
    #: Whether any of them names a user in Entra who has what the user should get.
    is_held_in_entra: bool = False

    def add(self, since: dt.datetime | None) -> None:
        """Count one more, dead `since` then."""
        self.dead_letters += 1
        if since is not None:
            self.oldest = since if self.oldest is None else min(self.oldest, since)
            self.newest = since if self.newest is None else max(self.newest, since)


class DeadLetterGroups:
    """Dead letters, counted by their kind."""

    def __init__(self) -> None:
        self._groups: dict[Kind, Group] = {}

    def add(self, dead_letter: DeadLetter) -> None:
        """Count a dead letter."""
        kind = dead_letter.queue, dead_letter.tenant, dead_letter.failure.reason
        group = self._groups.setdefault(kind, Group())
        group.add(dead_letter.dead_since)
        group.is_held_in_entra |= names_holder(dead_letter.failure.detail)

    @property
    def dead_letters(self) -> int:
        """How many dead letters there are."""
        return sum(group.dead_letters for group in self._groups.values())

    def counts(self) -> dict[str, int]:
        """Return how many there are of each tenant and reason, as `TENANT REASON`."""
        counts: dict[str, int] = {}
        for (_, tenant, reason), group in self.items():
            name = f"{tenant or '-'} {reason}"
            counts[name] = counts.get(name, 0) + group.dead_letters
        return counts

    def as_json(self, owners: FailureOwners) -> list[dict[str, Any]]:
        """Return the groups for programs."""
        return [
            {
                "queue": queue,
                "tenant": tenant,
                "reason": str(reason),
                "dead_letters": group.dead_letters,
                "oldest": group.oldest and timestamp(group.oldest),
                "newest": group.newest and timestamp(group.newest),
                **remedy_json(
                    reason, owners.of_group(tenant, reason, is_held_in_entra=group.is_held_in_entra)
                ),
            }
            for (queue, tenant, reason), group in self.items()
        ]

    def tenants(self) -> Collection[str]:
        """Return the tenants that are named."""
        return {tenant for _, tenant, _ in self._groups if tenant is not None}

    def items(self) -> list[tuple[Kind, Group]]:
        """Return the groups, in order."""
        return sorted(self._groups.items(), key=lambda item: (item[0][1] or "", item[0][0], item[0][2]))
