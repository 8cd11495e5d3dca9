"""What a run did to one Skolon user: the values from before, and a trace of each value that it wrote.

Both are kept sealed. What was written is only ever compared, so a keyed digest of it is enough: nobody's new
values are kept a second time (promise P6).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Bytes of the key of somebody's traces, and of a trace.
_KEY: Final = 16
_TRACE: Final = 16

_KNOWN: Final = frozenset(Attribute)


@dataclass(frozen=True, kw_only=True)
class Written:
    """`old` are the values from before the run, None where there was none.

    `traces` are of the values that the run may have written since, None where it emptied the attribute:
    several when a worker died over the first and another one had newer values. An attribute without
    traces was noted by an earlier version of the sync. `key` is the traces' own. `last` are the attributes
    that were written last, together.
    """

    old: Mapping[Attribute, str | None] = field(default_factory=dict)
    traces: Mapping[Attribute, tuple[str | None, ...]] = field(default_factory=dict)
    key: str = field(default_factory=lambda: secrets.token_hex(_KEY))
    last: frozenset[Attribute] = frozenset()

    def holds(self, attribute: Attribute, value: str | None) -> bool:
        """Say whether a value is one that the run wrote, as Skolon's values are compared."""
        return self._trace(attribute, value) in self.traces.get(attribute, ())

    def and_then(self, held: Mapping[Attribute, str | None], new: Mapping[Attribute, str | None]) -> Written:
        """Return what there is to know once the run writes `new` where Skolon holds `held`.

        What is held may have been written by the run itself, whose worker died after that: then the value
        from before is the one that was noted first. If it was not, somebody else has changed it meanwhile,
        and the value from before is theirs.
        """
        old, traces = dict(self.old), dict(self.traces)
        for attribute, value in held.items():
            if attribute not in old or not self._may_be_ours(attribute, value):
                old[attribute] = value
                traces.pop(attribute, None)
            if attribute in new:
                trace = self._trace(attribute, new[attribute])
                earlier = traces.get(attribute, ())
                traces[attribute] = earlier if trace in earlier else (*earlier, trace)
        return Written(old=old, traces=traces, key=self.key, last=frozenset(held))

    def as_json(self) -> dict[str, Any]:
        """Return it for sealing."""
        return {
            "old": {str(attribute): value for attribute, value in self.old.items()},
            "new": {str(attribute): list(traces) for attribute, traces in self.traces.items()},
            "key": self.key,
            "last": sorted(map(str, self.last)),
        }

    def _may_be_ours(self, attribute: Attribute, value: str | None) -> bool:
        return attribute not in self.traces or self.holds(attribute, value)

    def _trace(self, attribute: Attribute, value: str | None) -> str | None:
        if value is None:
            return None
        # As `same_value` compares them.
        text = value.casefold() if attribute is Attribute.EPPN else value
        data = f"{attribute}={text}".encode(errors="surrogatepass")
        return hashlib.blake2b(data, key=bytes.fromhex(self.key), digest_size=_TRACE).hexdigest()


def read_written(noted: Mapping[str, Any]) -> Written:
    """Return what was noted, by this version or by one that noted the old values alone."""
    if "key" not in noted:
        old = _by_attribute(noted)
        return Written(old=old, last=frozenset(old))
    traces = {attribute: tuple(found) for attribute, found in _by_attribute(noted["new"]).items()}
    return Written(
        old=_by_attribute(noted["old"]),
        traces=traces,
        key=noted["key"],
        last=frozenset(_by_attribute(dict.fromkeys(noted["last"]))),
    )


def _by_attribute(noted: Mapping[str, Any]) -> dict[Attribute, Any]:
    return {Attribute(name): value for name, value in noted.items() if name in _KNOWN}
