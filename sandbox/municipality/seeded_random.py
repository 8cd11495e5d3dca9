"""Random numbers and ids that depend on the seed and a name alone."""

from __future__ import annotations

import uuid
from random import Random

_NAMESPACE = uuid.UUID("6f1d0f5e-5d0c-4c1a-9c53-2f6a1f0b7e11")


def seeded_random(*parts: object) -> Random:
    """Return a random generator that depends on ``parts`` alone."""
    return Random("/".join(map(str, parts)))  # noqa: S311 - made-up people, nothing secret


def seeded_guid(*parts: object) -> str:
    """Return a GUID that depends on ``parts`` alone."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, parts))))
