"""Limits for responses: bytes, and values, which take many times their bytes in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ResponseLimits:
    """The largest answer of a kind: bytes once unpacked, objects and lists, and values in them.

    Python takes up to 200 bytes for an object and 60 for a value, of which JSON can have one every two bytes.
    """

    size: int
    containers: int
    values: int

    def exceeded_by(self, body: bytes) -> bool:
        """Say whether a whole body holds more; signs inside of texts count as well."""
        return (
            len(body) > self.size
            or body.count(b"{") + body.count(b"[") > self.containers
            or body.count(b",") > self.values
        )


#: A page of 999 users is 3 MB, with some 6,000 objects and lists and 40,000 values.
GRAPH_LIMITS: Final = ResponseLimits(size=16 * _MIB, containers=50_000, values=500_000)

#: 200 users of a search at most, each with hundreds of groups and roles.
SKOLON_LIMITS: Final = ResponseLimits(size=8 * _MIB, containers=50_000, values=250_000)

#: A token, or an OpenID configuration, is a few KiB.
TOKEN_LIMITS: Final = ResponseLimits(size=256 * 1024, containers=1_000, values=5_000)
