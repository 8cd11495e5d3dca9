"""Dead letters in groups: how many of which kind, since when, and whose turn it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.durations import format_age
from cli.output import print_table
from schemas.reports.remedies import Language, remedy_for
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from schemas.messages.dead_letter import DeadLetter
    from schemas.outcomes import Reason

#: What a group is: the queue, the tenant if the letters name one, and the reason.
Kind = tuple[str, str | None, "Reason"]


@dataclass(kw_only=True)
class Group:
    """How many letters there are of a kind, and when the first and the last of them died."""

    dead_letters: int = 0
    oldest: dt.datetime | None = None
    newest: dt.datetime | None = None

    def add(self, since: dt.datetime | None) -> None:
        """Count one more letter."""
        self.dead_letters += 1
        if since is not None:
            self.oldest = since if self.oldest is None else min(self.oldest, since)
            self.newest = since if self.newest is None else max(self.newest, since)


class Groups:
    """Letters, counted by their kind."""

    def __init__(self) -> None:
        self._groups: dict[Kind, Group] = {}

    def add(self, dead_letter: DeadLetter) -> None:
        """Count a letter."""
        kind = dead_letter.queue, dead_letter.tenant, dead_letter.failure.reason
        self._groups.setdefault(kind, Group()).add(dead_letter.dead_since)

    @property
    def dead_letters(self) -> int:
        """How many letters there are."""
        return sum(group.dead_letters for group in self._groups.values())

    def counts(self) -> dict[str, int]:
        """Return how many there are by tenant and reason, in words."""
        counts: dict[str, int] = {}
        for (_, tenant, reason), group in self._sorted():
            name = f"{tenant or '-'} {reason}"
            counts[name] = counts.get(name, 0) + group.dead_letters
        return counts

    def as_json(self) -> list[dict[str, Any]]:
        """Return the groups for programs."""
        return [
            {
                "queue": queue,
                "tenant": tenant,
                "reason": str(reason),
                "dead_letters": group.dead_letters,
                "oldest": group.oldest and timestamp(group.oldest),
                "newest": group.newest and timestamp(group.newest),
                **explanation(reason),
            }
            for (queue, tenant, reason), group in self._sorted()
        ]

    def print(self, now: dt.datetime) -> None:
        """Print the groups for people."""
        rows = [
            (
                queue,
                tenant,
                reason,
                group.dead_letters,
                format_age(group.oldest, now),
                group.oldest and timestamp(group.oldest),
                group.newest and timestamp(group.newest),
                remedy_for(reason).owner,
            )
            for (queue, tenant, reason), group in self._sorted()
        ]
        print_table(
            ("queue", "tenant", "reason", "dead letters", "oldest", "first died", "last died", "owner"), rows
        )

    def reasons(self) -> Collection[Reason]:
        """Return the reasons that there are."""
        return sorted({reason for _, _, reason in self._groups})

    def _sorted(self) -> list[tuple[Kind, Group]]:
        return sorted(self._groups.items(), key=lambda item: (item[0][1] or "", item[0][0], item[0][2]))


def explanation(reason: Reason) -> dict[str, Any]:
    """Return whose turn it is and what to do, in all languages."""
    explained = remedy_for(reason)
    texts = {
        str(language): {"what_happened": text.what_happened, "fix": text.fix}
        for language, text in ((language, explained.texts[language]) for language in Language)
    }
    return {"owner": str(explained.owner), "explanation": texts}
