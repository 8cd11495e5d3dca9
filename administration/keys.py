"""Which keys are still needed, and re-encryption with the newest one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from queues.dead_letters import iter_locked
from schemas.crypto.encryption import KeyAge
from schemas.errors import TransientError
from schemas.messages.messages import QUEUES
from store.encryption.digest_keys import digest_key_status
from store.encryption.encrypted_values import ColumnStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bootstrap.services import Services
    from store.encryption.digest_keys import DigestKeyStatus

#: A value that a worker locks in one pass is free in the next.
_PASSES: Final = 3


@dataclass(frozen=True, kw_only=True)
class KeyReport:
    """How many values need which key; `dead_letters` is None if they could not be counted.

    `rotated` is how many values were re-encrypted, None if that was not asked for.
    """

    columns: Sequence[ColumnStatus]
    traces: Sequence[DigestKeyStatus]
    dead_letters: Mapping[KeyAge, int] | None
    rotated: int | None = None

    @property
    def undecryptable(self) -> int:
        """How many values no key decrypts."""
        return sum(column.ages[KeyAge.NONE] for column in self.columns)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        dead_letters = self.dead_letters
        return {
            **({} if self.rotated is None else {"rotated": self.rotated}),
            "values": [column.as_json() for column in self.columns],
            "traces": [trace.as_json() for trace in self.traces],
            "dead_letters": None if dead_letters is None else {str(age): dead_letters[age] for age in KeyAge},
        }


def key_status(services: Services) -> KeyReport:
    """Count the values that each key is needed for. Nothing is changed."""
    return _report(services, services.store.encrypted_values.status())


def rotate_keys(services: Services) -> KeyReport:
    """Encrypt with the first key what older keys encrypted; may be interrupted and repeated."""
    rotated, columns = 0, list[ColumnStatus]()
    for _ in range(_PASSES):
        columns = list(services.store.encrypted_values.rotate())
        rotated += sum(column.rotated for column in columns)
        if not any(column.ages[KeyAge.OLDER] for column in columns):
            break
    return _report(services, columns, rotated=rotated)


def _report(services: Services, columns: Sequence[ColumnStatus], *, rotated: int | None = None) -> KeyReport:
    return KeyReport(
        columns=columns,
        traces=digest_key_status(services.store.database, services.cipher.index),
        dead_letters=_dead_letters(services),
        rotated=rotated,
    )


def _dead_letters(services: Services) -> Counter[KeyAge] | None:
    """Return how many dead letters' payloads need which key, None if RabbitMQ cannot be asked."""
    if not services.settings.amqp_url:
        return None
    found: Counter[KeyAge] = Counter()
    try:
        for portion in iter_locked(services.broker, QUEUES):
            found.update(
                services.cipher.key_age(dead_letter.payload)
                for dead_letter in portion
                if dead_letter.payload is not None
            )
    except TransientError:
        return None
    return found
