"""The municipality itself: who lives there, and what a run must report about them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sandbox.municipality.cases import Case, CaseUser
from sandbox.municipality.common_cases import COMMON_CASES, UNCHANGED_CASE
from sandbox.municipality.edge_cases import EDGE_CASES, PAIR, shared_skolon_id
from sandbox.municipality.made_up_user import DOMAIN, Facts, entra_user, make_facts, skolon_user
from sandbox.municipality.match_cases import MATCH_CASES
from sandbox.municipality.names import draw_names
from sandbox.municipality.seeded_random import seeded_random

if TYPE_CHECKING:
    from collections.abc import Iterator

#: From so many users up, every case is there at least once.
SMALLEST_WITH_ALL_CASES = 50
#: How large a part of the common users differ from what Skolon has, or seem to.
_DIFFERENT_SHARE = 0.3

#: The first run finds users as they were made up, the second what the first one left.
Run = Literal["first", "second"]


@dataclass(frozen=True, kw_only=True)
class MadeUpUser:
    """One user in Entra, the Skolon users that are there for it, and what must become of it.

    ``skolon`` is what stands in Skolon before the sync: one user, none, or two.
    ``claims`` is the id of the Skolon user that the user is matched to, None for no user.
    """

    case: str
    entra: dict[str, Any]
    skolon: tuple[dict[str, Any], ...]
    outcome: str
    outcome_again: str
    reason: str | None
    claims: str | None
    #: The attributes whose value in Entra breaks a rule: they stay as they are in Skolon.
    unwritten: tuple[str, ...] = ()


class Municipality:
    """``size`` made-up users in Entra. Each is made when asked for; only the cases are kept."""

    def __init__(self, size: int, *, seed: int = 1) -> None:
        """Take the number of users, and the seed that everything about them follows from."""
        self.size = size
        self.seed = seed
        self._names = draw_names(seed)
        self._hard = 0 if size < SMALLEST_WITH_ALL_CASES else max(1, round(size / 100))
        self._cases = self._deal()
        self._of_pairs = {number: index for index, (case, number) in enumerate(self._cases) if case is PAIR}

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[MadeUpUser]:
        return map(self.user, range(self.size))

    def user(self, index: int) -> MadeUpUser:
        """Make the user with this number, from 0. Raises IndexError."""
        case, number = self._cases[index]
        facts = self._facts(index)
        bent = CaseUser(
            facts=facts, entra=entra_user(facts), skolon=skolon_user(facts), number=number, seed=self.seed
        )
        skolon = tuple(case.apply(bent))
        gives_way = case is PAIR and facts.entra_id > self._facts(self._of_pairs[number ^ 1]).entra_id
        if case is PAIR:
            claims: str | None = shared_skolon_id(self.seed, number)
        else:
            is_written = case.unwritten or case.outcome in {"updated", "unchanged"}
            claims = facts.skolon_id if is_written else None
        return MadeUpUser(
            case=case.name,
            entra=bent.entra,
            skolon=skolon,
            outcome="dead_lettered" if gives_way else case.outcome,
            outcome_again="dead_lettered" if gives_way else case.outcome_again,
            reason="collision" if gives_way else case.reason,
            claims=claims,
            unwritten=case.unwritten,
        )

    def entra_users(self) -> Iterator[dict[str, Any]]:
        """Yield all users as Graph would return them."""
        return (user.entra for user in self)

    def skolon_users(self) -> Iterator[dict[str, Any]]:
        """Yield Skolon's users before the sync, as SCIM JSON; the last ones are strangers to Entra."""
        for user in self:
            yield from user.skolon
        yield from self.strangers()

    def strangers(self) -> Iterator[dict[str, Any]]:
        """Yield the users that Skolon has from elsewhere: no sync of this tenant may touch them."""
        for number in range(self._hard):
            facts = self._facts(self.size + number)
            name = f"vardnadshavare{number:05d}@annan.{DOMAIN}"
            user = skolon_user(facts)
            yield user | {"externalId": f"vardnadshavare-{number}", "userName": name}

    def cases(self) -> dict[str, int]:
        """Return how many users belong to each case."""
        return dict(Counter(case.name for case, _ in self._cases))

    def examples(self, count: int) -> dict[str, list[MadeUpUser]]:
        """Return at most ``count`` users of each case, by the names of the cases."""
        chosen: dict[str, list[MadeUpUser]] = {}
        for index, (case, _) in enumerate(self._cases):
            users = chosen.setdefault(case.name, [])
            if len(users) < count:
                users.append(self.user(index))
        return dict(sorted(chosen.items()))

    def expected_outcomes(self, run: Run = "first") -> dict[str, int]:
        """Return how many users must have each outcome; outcomes of no user are left out."""
        counts: Counter[str] = Counter()
        for case, number in self._cases:
            if case is PAIR and number % 2:
                counts["dead_lettered"] += 1
            else:
                counts[case.outcome if run == "first" else case.outcome_again] += 1
        return dict(counts)

    @property
    def partly_written(self) -> int:
        """How many users are dead letters for one value, and have the others written in the first run."""
        return sum(bool(case.unwritten) for case, _ in self._cases)

    def expected_changes(self) -> int:
        """Return how many users the first run must change in Skolon."""
        return self.expected_outcomes()["updated"] + self.partly_written

    def expected_reasons(self) -> dict[str, int]:
        """Return how many dead letters must have each reason, the same in every run."""
        counts: Counter[str] = Counter()
        for case, number in self._cases:
            reason = "collision" if case is PAIR and number % 2 else case.reason
            if reason is not None:
                counts[reason] += 1
        return dict(counts)

    def _facts(self, index: int) -> Facts:
        return make_facts(self.seed, index, self._names, self.size)

    def _deal(self) -> list[tuple[Case, int]]:
        """Give each user a case and its number within that case."""
        hands = [case for case in EDGE_CASES for _ in range(case.people * self._hard)]
        ordinary = self.size - len(hands)
        different = round(ordinary * _DIFFERENT_SHARE)
        if self._hard:
            different = max(different, len(COMMON_CASES))
        hands += [COMMON_CASES[position % len(COMMON_CASES)] for position in range(different)]
        hands += [case for case in MATCH_CASES for _ in range(self._hard)]
        hands += [UNCHANGED_CASE] * (self.size - len(hands))
        seeded_random(self.seed, "cases").shuffle(hands)
        numbers: Counter[str] = Counter()
        dealt: list[tuple[Case, int]] = []
        for case in hands:
            dealt.append((case, numbers[case.name]))
            numbers[case.name] += 1
        return dealt
