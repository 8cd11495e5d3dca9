"""Assesses a round: compares the observation with the expectations. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from devtools.chaos.results.expectations import Account

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from devtools.chaos.results.expectations import Expectation
    from devtools.chaos.results.observation import Observation, ObservedDeadLetter
    from devtools.chaos.runner import RoundLog
    from devtools.chaos.schedule import Schedule


@dataclass(kw_only=True)
class Round:
    """A round's report, one object of build/chaos.json.

    * `lost`: users without a receipt in the run, or still pending at the end
    * `wrong`: Skolon users that are not as the municipality's own expectation has them
    * `done_twice_with_effect`: PATCHes that Skolon carried out beyond the first that changed the user,
      and those that changed nothing. One user never needs two.
    * `dead_letters` by reason, without `duplicate_dead_letters` of the same user
    * `outage_dead_letters`: those that the municipality does not demand
    * `recovered`: messages that were retried or redelivered, as far as logs and RabbitMQ tell
    * `unexpected`: everything else that is not as it should be, each told in `surprises`
    * `resumed`: the causes for which an operator had to resume the run
    * `time_to_recover`: seconds from the lifting of the last fault to the end of the run
    * `missed`: faults for which the run was over too soon
    """

    seed: int
    faults: list[str]
    missed: list[str]
    published: int
    lost: int
    wrong: int
    done_twice_with_effect: int
    recovered: int
    dead_letters: dict[str, int]
    duplicate_dead_letters: int
    outage_dead_letters: int
    unexpected: int
    resumed: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    time_to_recover: float = 0.0
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether any of the four sums is not 0."""
        return any((self.lost, self.wrong, self.outage_dead_letters, self.unexpected))

    def as_json(self) -> dict[str, Any]:
        """Return the report as the object for JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class _Letters:
    by_reason: dict[str, int]
    duplicates: int
    of_outages: int
    users: frozenset[str]


def assess(seen: Observation, expectation: Expectation, schedule: Schedule, round_log: RoundLog) -> Round:
    """Return the round's report, but for how long it took."""
    accounts = [Account(key="", run=seen.run, receipts=seen.receipts, expectation=expectation), *seen.others]
    receipts = {
        receipt["user"]: (receipt["outcome"], receipt["reason"])
        for account in accounts
        for receipt in account.receipts
    }
    people = {user: right for account in accounts for user, right in account.expectation.people.items()}
    dead_letters = _dead_letters(
        [dead_letter for dead_letter in seen.dead_letters if dead_letter.forged is None], people
    )
    twice = _done_twice(seen.patches)
    found = _course(round_log)
    for account in accounts:
        found += [f"{account.key} {words}".lstrip() for words in _sums(account)]
    found += [*_people(receipts, people), *_forged(seen)]
    found += [f"{count} messages left in {queue}" for queue, count in seen.leftovers.items()]
    found += [
        f"user {user} is dead_lettered without a dead letter"
        for user, (outcome, _) in receipts.items()
        if outcome == "dead_lettered" and user not in dead_letters.users
    ]
    found += [f"traceback, {count} times: {line}" for line, count in Counter(seen.tracebacks).items()]
    found += [f"bug: {line}" for line in seen.bugs[:5]]
    found += [f"the {command} does not end when it is asked to" for command in seen.killed_in_the_end]
    found += [f"{seen.leaks} personal values in the logs"] * bool(seen.leaks)
    found += [f"{twice} PATCHes beyond the first, or of no effect"] * bool(twice)
    lost = [user for account in accounts for user in _lost(account, receipts)]
    return Round(
        seed=schedule.seed,
        faults=[str(event.fault) for event in schedule.events],
        missed=[str(event.fault) for event in round_log.missed],
        published=sum(int(account.run.get("published", 0)) for account in accounts),
        lost=len(lost),
        wrong=len(seen.wrong),
        done_twice_with_effect=twice,
        recovered=seen.retried + seen.redelivered,
        dead_letters=dead_letters.by_reason,
        duplicate_dead_letters=dead_letters.duplicates,
        outage_dead_letters=dead_letters.of_outages,
        unexpected=len(found),
        resumed=round_log.resumed,
        surprises=found,
        time_to_recover=round(round_log.recovery, 1),
    )


def broken_round(schedule: Schedule, why: str) -> Round:
    """Return the report on a round of which nothing is known but why it broke off."""
    faults = [str(event.fault) for event in schedule.events]
    return Round(
        seed=schedule.seed,
        faults=faults,
        missed=faults,
        published=0,
        lost=0,
        wrong=0,
        done_twice_with_effect=0,
        recovered=0,
        dead_letters={},
        duplicate_dead_letters=0,
        outage_dead_letters=0,
        unexpected=1,
        surprises=[why],
    )


def _course(round_log: RoundLog) -> list[str]:
    halts = [f"halted with {cause}" for cause in round_log.unforeseen_halts]
    return [*round_log.broken, *halts, *([] if round_log.ended else ["the run does not end"])]


def _forged(seen: Observation) -> list[str]:
    """Compare the forged messages with those that lie among the dead letters, each for what it is."""
    dead_letters = [dead_letter for dead_letter in seen.dead_letters if dead_letter.forged is not None]
    missing = set(seen.forged) - {dead_letter.forged for dead_letter in dead_letters}
    # What RabbitMQ itself put there has no reason of ours: it was no message at all.
    wrong = {dead_letter.reason for dead_letter in dead_letters} - {None, "forged_message"}
    return [
        *(f"{mark} is not among the dead letters" for mark in sorted(missing, key=str)),
        *(f"a forged message is dead for {reason}" for reason in sorted(wrong, key=str)),
    ]


def _lost(account: Account, receipts: Mapping[str, tuple[str, str | None]]) -> list[str]:
    """Return who has no receipt, or is pending still though the run was not cancelled."""
    lost = {None} if account.expectation.status == "cancelled" else {None, "pending"}
    return [user for user in account.expectation.people if receipts.get(user, (None, None))[0] in lost]


def _sums(account: Account) -> list[str]:
    """Compare the run's own sums with the demanded ones, and with each other (promise P3)."""
    run, expectation = account.run, account.expectation
    if not run:
        return ["there is no run"]
    found: list[str] = []
    if run["status"] != expectation.status:
        found.append(f"the run is {run['status']}, cause {run['cause']}")
    outcomes = {outcome: count for outcome, count in run["outcomes"].items() if count}
    if not run["published"] == sum(outcomes.values()) + run["pending"] == len(account.receipts):
        found.append(
            f"the sums do not balance: {run['published']} published, {len(account.receipts)} receipts"
        )
    if run["published"] != len(expectation.people):
        found.append(f"{run['published']} published instead of {len(expectation.people)}")
    for what, is_so, should in (
        ("outcomes", outcomes, expectation.outcomes),
        ("reasons", run["reasons"], expectation.reasons),
    ):
        if should is None:
            continue
        found += [
            f"{what}: {word} {is_so.get(word, 0)} instead of {should.get(word, 0)}"
            for word in sorted(is_so.keys() | should.keys())
            if is_so.get(word, 0) != should.get(word, 0)
        ]
    return found


def _people(
    receipts: Mapping[str, tuple[str, str | None]], people: Mapping[str, frozenset[tuple[str, str | None]]]
) -> list[str]:
    """Compare each user's receipt with its allowed results; report the first few differences."""
    differing = [
        f"user {user}: {outcome} {reason or ''}".rstrip()
        for user, (outcome, reason) in receipts.items()
        if outcome != "pending" and (outcome, reason) not in people.get(user, frozenset())
    ]
    return differing[:10]


def _dead_letters(
    dead_letters: Iterable[ObservedDeadLetter], people: Mapping[str, frozenset[tuple[str, str | None]]]
) -> _Letters:
    of_user: defaultdict[str, list[ObservedDeadLetter]] = defaultdict(list)
    others: list[ObservedDeadLetter] = []
    for dead_letter in dead_letters:
        if dead_letter.user is None:
            others.append(dead_letter)
        else:
            of_user[dead_letter.user].append(dead_letter)
    by_reason: Counter[str] = Counter(str(dead_letter.reason) for dead_letter in others)
    of_outages = len(others)
    duplicates = 0
    for user, those in of_user.items():
        reasons = Counter(dead_letter.reason for dead_letter in those)
        duplicates += sum(count - 1 for count in reasons.values())
        by_reason.update(str(reason) for reason in reasons)
        demanded = people.get(user, frozenset())
        of_outages += sum(("dead_lettered", reason) not in demanded for reason in reasons)
    return _Letters(
        by_reason=dict(by_reason),
        duplicates=duplicates,
        of_outages=of_outages,
        users=frozenset(of_user),
    )


def _done_twice(patches: Mapping[str, Mapping[str, int]]) -> int:
    again = sum(count - 1 for count in patches["effective"].values())
    return again + sum(patches["idle"].values())
