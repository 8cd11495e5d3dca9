"""What a run changed of one Skolon user: the values from before, and a digest of each value that it wrote.

Both are stored encrypted. Written values are only compared, so a keyed digest of them is enough: new values
are not stored a second time (promise P6).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from schemas.users.attributes import CASE_INSENSITIVE_ATTRIBUTES, Attribute, normalized_key

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Bytes of the key of a user's digests, and of a digest.
_KEY: Final = 16
_DIGEST: Final = 16


@dataclass(frozen=True, kw_only=True)
class ChangeRecord:
    """What a run wrote to one user: `before_image` are the values from before, None where there was none.

    `digests` are those of the values that the run may have written since, None where it emptied the
    attribute: several when a worker died after the first and another one had newer values. `key` is the key
    of the digests. `last_written` are the attributes that were written last, together. `shown` are digests of
    what Skolon showed right after another value was written.
    """

    before_image: Mapping[Attribute, str | None] = field(default_factory=dict)
    digests: Mapping[Attribute, tuple[str | None, ...]] = field(default_factory=dict)
    key: str = field(default_factory=lambda: secrets.token_hex(_KEY))
    last_written: frozenset[Attribute] = frozenset()
    shown: Mapping[Attribute, str | None] = field(default_factory=dict)

    def wrote(self, attribute: Attribute, value: str | None) -> bool:
        """Say whether a value is one that the run wrote, as Skolon's values are compared."""
        return self._digest(attribute, value) in self.digests.get(attribute, ())

    def showed(self, attribute: Attribute, value: str | None) -> bool:
        """Say whether Skolon showed a value right after the run had written another one."""
        return attribute in self.shown and self.shown[attribute] == self._digest(attribute, value)

    def with_shown(self, shown: Mapping[Attribute, str | None]) -> ChangeRecord:
        """Return the record with what Skolon shows of attributes that it does not show as written."""
        digests = {attribute: self._digest(attribute, value) for attribute, value in shown.items()}
        return replace(self, shown={**self.shown, **digests})

    def extended(
        self, current: Mapping[Attribute, str | None], new: Mapping[Attribute, str | None]
    ) -> ChangeRecord:
        """Return the record once the run writes `new` where Skolon has `current`.

        The run itself may have written `current`, and its worker died after that: then the value recorded
        first stays the value from before. Otherwise another source has changed the attribute meanwhile, and
        its value is the one from before.
        """
        old, digests = dict(self.before_image), dict(self.digests)
        for attribute, value in current.items():
            if attribute not in old or not self.wrote(attribute, value):
                old[attribute] = value
                digests.pop(attribute, None)
            if attribute in new:
                digest = self._digest(attribute, new[attribute])
                earlier = digests.get(attribute, ())
                digests[attribute] = earlier if digest in earlier else (*earlier, digest)
        shown = {name: digest for name, digest in self.shown.items() if name not in current}
        return ChangeRecord(
            before_image=old,
            digests=digests,
            key=self.key,
            last_written=frozenset(current),
            shown=shown,
        )

    def without(self, refused: Mapping[Attribute, str | None]) -> ChangeRecord:
        """Return the record as it is when the `refused` values were not written.

        An attribute stays if the run may have written another value to it before.
        """
        old, digests = dict(self.before_image), dict(self.digests)
        for attribute, value in refused.items():
            refused_digest = self._digest(attribute, value)
            left = tuple(each for each in digests.pop(attribute, ()) if each != refused_digest)
            if left:
                digests[attribute] = left
            else:
                old.pop(attribute, None)
        return ChangeRecord(
            before_image=old,
            digests=digests,
            key=self.key,
            last_written=self.last_written - refused.keys(),
            shown={name: digest for name, digest in self.shown.items() if name not in refused},
        )

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object, to be encrypted."""
        return {
            "old": {str(attribute): value for attribute, value in self.before_image.items()},
            "new": {str(attribute): list(digests) for attribute, digests in self.digests.items()},
            "key": self.key,
            "last": sorted(map(str, self.last_written)),
            "shown": {str(attribute): digest for attribute, digest in self.shown.items()},
        }

    def _digest(self, attribute: Attribute, value: str | None) -> str | None:
        if value is None:
            return None
        # As `values_match` compares them.
        text = normalized_key(attribute, value) if attribute in CASE_INSENSITIVE_ATTRIBUTES else value
        data = f"{attribute}={text}".encode(errors="surrogatepass")
        return hashlib.blake2b(data, key=bytes.fromhex(self.key), digest_size=_DIGEST).hexdigest()


def load_change_record(noted: Mapping[str, Any]) -> ChangeRecord:
    """Return the record of a JSON object that `as_json` made."""
    digests = {attribute: tuple(found) for attribute, found in _by_attribute(noted["new"]).items()}
    return ChangeRecord(
        before_image=_by_attribute(noted["old"]),
        digests=digests,
        key=noted["key"],
        last_written=frozenset(map(Attribute, noted["last"])),
        shown=_by_attribute(noted["shown"]),
    )


def _by_attribute(noted: Mapping[str, Any]) -> dict[Attribute, Any]:
    return {Attribute(name): value for name, value in noted.items()}
