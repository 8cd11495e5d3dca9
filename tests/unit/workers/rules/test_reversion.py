"""What an undo puts back, and what always holds of a run, what others do, and its undo, in any order."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.runs.before_image import ChangeRecord
from schemas.users.attributes import Attribute
from schemas.users.skolon_user import SkolonUser
from tests.unit.workers.factories import ENTRA_ID, skolon_user
from workers.rules import reversion
from workers.rules.diff import difference
from workers.rules.reversion import Reversion

if TYPE_CHECKING:
    from collections.abc import Mapping

CITY, EMAIL, EPPN = Attribute.CITY, Attribute.EMAIL, Attribute.EPPN

revert: Final = partial(reversion.revert, user_id=ENTRA_ID)


def wrote(held: Mapping[Attribute, str | None], new: Mapping[Attribute, str | None]) -> ChangeRecord:
    return ChangeRecord().extended(held, new)


def test_what_is_still_there_is_put_back() -> None:
    """P5 speaks of Entra's blanks: what was blank before the run is blank again."""
    written = wrote({CITY: "Lund", EMAIL: None}, {CITY: "Malmö", EMAIL: "a@b.example"})
    found = revert(skolon_user(city="Malmö", email="a@b.example", address="Storgatan 1"), written)
    assert found == Reversion(changes={CITY: "Lund", EMAIL: None}, skipped=())


def test_what_changed_since_is_left() -> None:
    """Each attribute is looked at for itself: one is put back although another one is left."""
    written = wrote({CITY: "Lund", EMAIL: None}, {CITY: "Malmö", EMAIL: "a@b.example"})
    found = revert(skolon_user(city="Malmö", email="other@b.example"), written)
    assert found == Reversion(changes={CITY: "Lund"}, skipped=(EMAIL,))


def test_what_is_as_before_needs_nothing() -> None:
    """A change that never arrived, or has been undone by anybody, is neither changed nor left, but told."""
    written = wrote({CITY: "Lund", EMAIL: None}, {CITY: "Malmö", EMAIL: "a@b.example"})
    found = revert(skolon_user(city="Lund"), written)
    assert found == Reversion(changes={}, skipped=(), as_before=(CITY, EMAIL))


def test_a_temporary_value_is_ours() -> None:
    """The undo itself has written it, which the undone run's record cannot tell."""
    written = wrote({EPPN: "a@x.example"}, {EPPN: "b@y.example"})
    found = revert(skolon_user(eppn=f"{ENTRA_ID}@y.example"), written)
    assert found == Reversion(changes={EPPN: "a@x.example"}, skipped=())


def test_what_a_newer_run_wrote_is_left() -> None:
    """The same value, written by a newer run, is that run's."""
    written = wrote({CITY: "Lund"}, {CITY: "Malmö"})
    newer = wrote({CITY: "Ystad"}, {CITY: "Malmö"})
    user = skolon_user(city="Malmö")
    assert revert(user, written, since=[newer]) == Reversion(changes={}, skipped=(CITY,))
    other = wrote({EMAIL: None}, {EMAIL: "a@b.example"})
    assert revert(user, written, since=[other]).changes == {CITY: "Lund"}


def test_an_untouched_user_holds_what_the_run_wrote() -> None:
    """Skolon may spell a value in its own way; with the version that the run left, it is the run's."""
    written = wrote({CITY: "Lund"}, {CITY: "Malmö"})
    user = skolon_user(city="MALMÖ")
    assert revert(user, written).skipped == (CITY,)
    assert revert(user, written, untouched=True) == Reversion(changes={CITY: "Lund"}, skipped=())


def test_the_case_of_an_eppn_does_not_matter() -> None:
    """An EPPN that Skolon keeps in another case is the one that was written, or the one from before."""
    written = wrote({EPPN: "Anna@skola.example"}, {EPPN: "bo@skola.example"})
    assert revert(skolon_user(eppn="BO@skola.example"), written).changes == {EPPN: "Anna@skola.example"}
    found = revert(skolon_user(eppn="anna@SKOLA.example"), written)
    assert found == Reversion(changes={}, skipped=(), as_before=(EPPN,))


#: Two attributes are enough for one to be put back while the other is left.
BOTH = (CITY, EMAIL)
#: What the run maps and what others write are different values, so that it is certain whose one is.
OURS = st.fixed_dictionaries({}, optional=dict.fromkeys(BOTH, st.sampled_from([None, "ours 1", "ours 2"])))
THEIRS = st.fixed_dictionaries({}, optional=dict.fromkeys(BOTH, st.sampled_from(["theirs 1", "theirs 2"])))
BEFORE = st.fixed_dictionaries(dict.fromkeys(BOTH, st.sampled_from([None, "before", "ours 1", "theirs 1"])))

#: How far a worker comes: it dies after its claim, after its PATCH, or not at all.
Step: TypeAlias = tuple[str, dict[Attribute, str | None]]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["dies after claim", "dies after patch", "settles"]), OURS),
        st.tuples(st.just("somebody else"), THEIRS),
    ),
    max_size=8,
)


@dataclass
class Environment:
    """One Skolon user, one receipt, and for each attribute the value that an undo has to leave."""

    held: dict[Attribute, str | None]
    before: dict[Attribute, str | None]
    version: int = 0
    written: ChangeRecord = field(default_factory=ChangeRecord)
    claimed: bool = False
    left_version: int | None = None
    settled: bool = False

    def user(self) -> SkolonUser:
        attributes = {attribute: self.held.get(attribute) for attribute in Attribute}
        return SkolonUser(id="s1", version=str(self.version), attributes=attributes)

    def take(self, step: Step) -> None:
        match step:
            case ("somebody else", values):
                self.write(values)
                self.before |= values
            case (how, mapped) if not self.settled:
                self.deliver(how, mapped)

    def deliver(self, how: str, mapped: Mapping[Attribute, str | None]) -> None:
        """Do what a worker does with a delivery of the user's message, as far as it comes."""
        changes = difference(self.user(), mapped, erase_blank=list(Attribute))
        if changes:
            self.claimed = True
            self.written = self.written.extended({each: self.held.get(each) for each in changes}, changes)
            if how == "dies after claim":
                return
            self.write(changes)
        if how == "settles":
            self.settled = True
            # What was found right may have been changed since the run's own PATCH.
            self.left_version = self.version if changes else None

    def write(self, values: Mapping[Attribute, str | None]) -> None:
        self.held |= values
        self.version += bool(values)

    def undo(self) -> Reversion:
        untouched = self.left_version == self.version
        found = revert(self.user(), self.written, untouched=untouched)
        self.write(found.changes)
        return found


@settings(max_examples=500)
@given(before=BEFORE, steps=STEPS)
@example(
    # The version that the last delivery left says nothing of what only the first one was about to write.
    before={CITY: None, EMAIL: None},
    steps=[
        ("dies after claim", {EMAIL: "ours 1"}),
        ("somebody else", {EMAIL: "theirs 1"}),
        ("settles", {CITY: "ours 1"}),
    ],
)
@example(
    # What a second delivery finds need not be what the first one wrote.
    before={CITY: "before", EMAIL: None},
    steps=[
        ("dies after patch", {CITY: "ours 1"}),
        ("somebody else", {CITY: "theirs 1"}),
        ("settles", {CITY: "ours 2"}),
    ],
)
@example(
    # What it finds right may have been changed by somebody else since.
    before={CITY: "before", EMAIL: None},
    steps=[
        ("dies after patch", {CITY: "ours 1"}),
        ("somebody else", {CITY: "theirs 1"}),
        ("settles", {}),
    ],
)
def test_an_undo_leaves_what_was_before_and_what_others_wrote(
    before: dict[Attribute, str | None], steps: list[Step]
) -> None:
    """Whatever a run, dying workers and others did in whatever order: only what the run wrote is undone."""
    world = Environment(held=dict(before), before=dict(before))
    for step in steps:
        world.take(step)
    held = dict(world.held)

    found = world.undo()

    assert world.held == world.before
    # Whatever is left is what somebody else wrote.
    assert all(str(held[attribute]).startswith("theirs") for attribute in found.skipped)
    # Twice is once.
    assert world.undo().changes == {}
