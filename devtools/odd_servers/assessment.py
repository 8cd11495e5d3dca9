"""Assesses a run against an odd server: who was lost, what was spoilt, and what is not so. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from devtools.odd_servers.oddities import UpdateOddity
from devtools.odd_servers.organisation import KEPT_OF_NAMES
from sandbox.municipality.expectation import Attributes, after_sync, attributes_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from devtools.odd_servers.oddities import Oddities
    from sandbox.municipality.municipality import MadeUpUser

#: Causes that say that the server does not do what a run needs.
NAMES_THE_SERVER: Final = frozenset({"skolon_search", "skolon_update"})

_LISTS: Final = {"emails": "work", "phoneNumbers": "", "addresses": "home"}
Document = dict[str, Any]


@dataclass(kw_only=True)
class Round:
    """One server's report.

    * `ended`: `completed`, `halted: CAUSE`, or what else the run is
    * `falsely_not_found`: users that Skolon has, and that are not found
    * `wrong`: Skolon users with a value that is neither their own nor the one of their Entra user, or with an
      entry of others changed
    * `not_so`: users that are `updated`, or `unchanged`, and have not in Skolon what they should have, though
      their receipts do not name the attribute as one that Skolon does not show as written
    * `again`: PATCHes of a second run, which should have nothing to do

    What is counted is counted in both runs.
    """

    server: str
    ended: str
    outcomes: dict[str, int]
    falsely_not_found: int
    wrong: int
    not_so: int
    again: int = 0
    ended_again: str = ""
    surprises: list[str] = field(default_factory=list)

    def add_second(self, second: Round, *, patches: int) -> None:
        """Add what a second run was like."""
        self.again, self.ended_again = patches, second.ended
        self.falsely_not_found += second.falsely_not_found
        self.not_so += second.not_so
        self.wrong = max(self.wrong, second.wrong)
        self.surprises += [f"second run: {surprise}" for surprise in second.surprises]

    @property
    def failed(self) -> bool:
        """Whether anything is not as it has to be."""
        return bool(self.falsely_not_found or self.wrong or self.not_so or not self.ended_well)

    @property
    def ended_well(self) -> bool:
        """Whether the run is complete, or halted with a cause that names the server's fault."""
        return all(
            ended in ("completed", "") or ended.removeprefix("halted: ") in NAMES_THE_SERVER
            for ended in (self.ended, self.ended_again)
        )

    def as_json(self) -> dict[str, Any]:
        """Return the report as the object for JSON."""
        return asdict(self)


def assess(  # noqa: PLR0913 - what a round consists of
    oddities: Oddities,
    municipality: Iterable[MadeUpUser],
    tenant: Mapping[str, Any],
    *,
    before: Mapping[str, Document],
    after: Mapping[str, Document],
    outcomes: Mapping[str, str],
    altered: Mapping[str, Collection[str]] = MappingProxyType({}),
    ended: str,
) -> Round:
    """Return the report; `outcomes` are those of the users of Entra, and `ended` says how the run did.

    `altered` are the attributes that receipts name as not shown as they were written.
    """
    people = list(municipality)
    expected = _expected(people, tenant, before, oddities)
    lost = [
        person.entra["id"]
        for person in people
        if outcomes.get(person.entra["id"]) == "not_found"
        and person.outcome != "not_found"
        and (person.claims is None or person.claims in after)
    ]
    wrong = [
        user_id
        for user_id in sorted(after)
        if _is_wrong(before.get(user_id), after[user_id], expected.get(user_id, ()), oddities)
    ]
    not_so = [
        person.entra["id"]
        for person in people
        if outcomes.get(person.entra["id"]) in ("updated", "unchanged")
        and not _is_so(person, after, expected, oddities, altered.get(person.entra["id"], ()))
    ]
    return Round(
        server=name_of(oddities),
        ended=ended,
        outcomes=dict(Counter(outcomes.values())),
        falsely_not_found=len(lost),
        wrong=len(wrong),
        not_so=len(not_so),
        surprises=[
            *(f"user {user} is there, and not_found" for user in lost[:5]),
            *(f"Skolon user {user} is spoilt" for user in wrong[:5]),
            *(f"user {user} is {outcomes[user]}, and is not" for user in not_so[:5]),
        ],
    )


def name_of(oddities: Oddities) -> str:
    """Return what a server does that others do not, in words."""
    return ", and ".join(sorted(oddities)) or "nothing odd"


def _expected(
    people: Iterable[MadeUpUser],
    tenant: Mapping[str, Any],
    before: Mapping[str, Document],
    oddities: Oddities,
) -> dict[str, list[Attributes]]:
    """Return for each Skolon user the states that it may be in when all is done."""
    expected: dict[str, list[Attributes]] = {}
    for person in people:
        if person.claims is not None:
            held = held_attributes(before[person.claims], oddities)
            kept = {name: held[name] for name in person.unwritten}
            state = after_sync(person.entra, held, dict(tenant)) | kept
            expected.setdefault(person.claims, []).append(_in_form(state, oddities))
    return expected


def held_attributes(user: Document, oddities: Oddities) -> Attributes:
    """Return our attributes of a user as the server keeps it, in the form that its values take there."""
    return _in_form(attributes_of(_typed(user)), oddities)


def _typed(user: Document) -> Document:
    """Return the user with types as the municipality spells them; of one type, the first entry counts."""
    typed = dict(user)
    for name, usual in _LISTS.items():
        if name in typed:
            typed[name] = [
                {**entry, "type": str(entry.get("type") or usual).lower()} for entry in typed[name]
            ]
    return typed


def _in_form(attributes: Attributes, oddities: Oddities) -> Attributes:
    formed = dict(attributes)
    for name, value in attributes.items():
        if value is None:
            continue
        if name == "user_name" and UpdateOddity.LOWER_CASE_USER_NAMES in oddities:
            formed[name] = value.lower()
        if name in ("home_phone", "mobile_phone"):
            formed[name] = value.removeprefix("tel:")
        if name in ("first_name", "last_name") and UpdateOddity.CUTS_NAMES in oddities:
            formed[name] = value[:KEPT_OF_NAMES]
    return formed


def _is_wrong(
    before: Document | None, after: Document, expected: Iterable[Attributes], oddities: Oddities
) -> bool:
    if before is None:
        return True
    if _of_others(before) != _of_others(after):
        return True
    old, new = held_attributes(before, oddities), held_attributes(after, oddities)
    states = [*expected, old]
    return not any(all(new[name] in (old[name], state[name]) for name in new) for state in states)


def _of_others(user: Document) -> list[Any]:
    """Return what a user holds that is none of the sync's business."""
    others: list[Any] = [user.get("id"), user.get("active")]
    for name, entries in _typed(user).items():
        if name not in _LISTS:
            continue
        seen: set[str] = set()
        for entry in entries:
            ours = {"emails": {"work"}, "phoneNumbers": {"home", "mobile"}, "addresses": {"home"}}[name]
            if entry["type"] not in ours or entry["type"] in seen:
                others.append((name, sorted(entry.items())))
            seen.add(entry["type"])
    return others


def _is_so(
    person: MadeUpUser,
    after: Mapping[str, Document],
    expected: Mapping[str, list[Attributes]],
    oddities: Oddities,
    altered: Collection[str],
) -> bool:
    if person.claims is None or person.claims not in after:
        return False
    held = held_attributes(after[person.claims], oddities)
    return any(
        all(held[name] == state[name] for name in held if name not in altered)
        for state in expected[person.claims]
    )
