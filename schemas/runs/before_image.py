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
class ChangeRecord:
    """`before_image` are the values from before the run, None where there was none.

    `digests` are of the values that the run may have written since, None where it emptied the attribute:
    several when a worker died over the first and another one had newer values. An attribute without
    traces was noted by an earlier version of the sync. `key` is the traces' own. `last_written` are the
    attributes that were written last, together.
    """

    before_image: Mapping[Attribute, str | None] = field(default_factory=dict)
    digests: Mapping[Attribute, tuple[str | None, ...]] = field(default_factory=dict)
    key: str = field(default_factory=lambda: secrets.token_hex(_KEY))
    last_written: frozenset[Attribute] = frozenset()

    def wrote(self, attribute: Attribute, value: str | None) -> bool:
        """Say whether a value is one that the run wrote, as Skolon's values are compared."""
        return self._digest(attribute, value) in self.digests.get(attribute, ())

    def extended(
        self, held: Mapping[Attribute, str | None], new: Mapping[Attribute, str | None]
    ) -> ChangeRecord:
        """Return what there is to know once the run writes `new` where Skolon holds `held`.

        What is held may have been written by the run itself, whose worker died after that: then the value
        from before is the one that was noted first. If it was not, somebody else has changed it meanwhile,
        and the value from before is theirs.
        """
        old, traces = dict(self.before_image), dict(self.digests)
        for attribute, value in held.items():
            if attribute not in old or not self._may_be_ours(attribute, value):
                old[attribute] = value
                traces.pop(attribute, None)
            if attribute in new:
                trace = self._digest(attribute, new[attribute])
                earlier = traces.get(attribute, ())
                traces[attribute] = earlier if trace in earlier else (*earlier, trace)
        return ChangeRecord(before_image=old, digests=traces, key=self.key, last_written=frozenset(held))

    def as_json(self) -> dict[str, Any]:
        """Return it for sealing."""
        return {
            "old": {str(attribute): value for attribute, value in self.before_image.items()},
            "new": {str(attribute): list(traces) for attribute, traces in self.digests.items()},
            "key": self.key,
            "last": sorted(map(str, self.last_written)),
        }

    def _may_be_ours(self, attribute: Attribute, value: str | None) -> bool:
        return attribute not in self.digests or self.wrote(attribute, value)

    def _digest(self, attribute: Attribute, value: str | None) -> str | None:
        if value is None:
            return None
        # As `same_value` compares them.
        text = value.casefold() if attribute is Attribute.EPPN else value
        data = f"{attribute}={text}".encode(errors="surrogatepass")
        return hashlib.blake2b(data, key=bytes.fromhex(self.key), digest_size=_TRACE).hexdigest()


def load_change_record(noted: Mapping[str, Any]) -> ChangeRecord:
    """Return what was noted, by this version or by one that noted the old values alone."""
    if "key" not in noted:
        old = _by_attribute(noted)
        return ChangeRecord(before_image=old, last_written=frozenset(old))
    traces = {attribute: tuple(found) for attribute, found in _by_attribute(noted["new"]).items()}
    return ChangeRecord(
        before_image=_by_attribute(noted["old"]),
        digests=traces,
        key=noted["key"],
        last_written=frozenset(_by_attribute(dict.fromkeys(noted["last"]))),
    )


def _by_attribute(noted: Mapping[str, Any]) -> dict[Attribute, Any]:
    return {Attribute(name): value for name, value in noted.items() if name in _KNOWN}
