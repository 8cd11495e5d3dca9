"""What is worth telling of a tenant, by what its status says, and when it is told again: pure functions.

The status is that of `administration.tenants.status`, so what is told is what `status` and the pages show.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from schemas.dead_letter_reasons import Reason
from schemas.outcomes import QUESTION_CAUSES, Cause
from schemas.reports.remedy import Owner
from schemas.tenants.tenant_status import Problem, ProblemKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from schemas.tenants.tenant_status import TenantStatus

#: Days before a client secret expires on which it is told.
SECRET_MILESTONES: Final = (30, 7, 1)


class NewsKind(StrEnum):
    """What is told."""

    #: A run is halted.
    RUN_HALTED = "run_halted"
    #: A run is halted with a question that waits for an answer.
    QUESTION = "question"
    #: More users fail than a number.
    USERS_FAILED = "users_failed"
    #: A client secret expires within 30, 7 or 1 days, or has expired.
    SECRET_EXPIRES = "secret_expires"  # noqa: S105 - the name of a kind, no secret
    #: No user was confirmed as right for some days.
    NOT_CONFIRMED = "not_confirmed"


class Event(StrEnum):
    """Why a notification is sent."""

    PROBLEM = "problem"
    WELL_AGAIN = "well_again"
    #: Asked for by a member, to see that it arrives.
    TEST = "test"
    #: The weekly list of what there is to correct.
    REPAIR_LIST = "repair_list"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is wrong now: the `causes` tell it from another one of its kind, in words of ours."""

    kind: NewsKind
    causes: frozenset[str]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What was told of a kind and is not well again: its causes, and the problems as they were then."""

    causes: frozenset[str]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class News:
    """Something to tell: a problem, or that one is well again."""

    kind: NewsKind
    event: Event
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What there is to tell of a tenant, and what counts as told from then on."""

    news: tuple[News, ...]
    told: Mapping[NewsKind, Told]


def findings(
    status: TenantStatus, told: Collection[NewsKind] = (), *, most_failed: int, today: dt.date
) -> dict[NewsKind, Finding]:
    """Return what is worth telling of a tenant; of users that fail if there are more than `most_failed`.

    Of a kind that is `told` they must be half as few before it is well again: a number that goes up and down
    by one is not told each time.
    """
    by_kind: dict[NewsKind, list[Problem]] = {}
    for problem in status.problems:
        kind = _kind(problem)
        if kind is not None:
            by_kind.setdefault(kind, []).append(problem)
    limit = most_failed // 2 if NewsKind.USERS_FAILED in told else most_failed
    if sum(each.users or 0 for each in by_kind.get(NewsKind.USERS_FAILED, ())) <= limit:
        by_kind.pop(NewsKind.USERS_FAILED, None)
    return {
        kind: Finding(
            kind=kind,
            causes=frozenset(_cause(each, today) for each in problems),
            problems=tuple(problems),
        )
        for kind, problems in by_kind.items()
    }


def change_of(
    status: TenantStatus, told: Mapping[NewsKind, Told], *, most_failed: int, today: dt.date
) -> Change:
    """Return what there is to tell of a tenant, by what was `told` before.

    Each cause is told once. A further cause is told with those that are there already; one that is gone
    while others stay is not told. A tenant that is switched off is neither wrong nor well again.
    """
    if not status.enabled:
        return Change(news=(), told={})
    found = findings(status, told, most_failed=most_failed, today=today)
    news = [
        News(kind=kind, event=Event.PROBLEM, problems=finding.problems)
        for kind, finding in found.items()
        if kind not in told or finding.causes - told[kind].causes
    ]
    news += [
        News(kind=kind, event=Event.WELL_AGAIN, problems=before.problems)
        for kind, before in told.items()
        if kind not in found
    ]
    is_told = {
        kind: Told(causes=finding.causes, problems=finding.problems) for kind, finding in found.items()
    }
    return Change(news=tuple(sorted(news, key=lambda each: list(NewsKind).index(each.kind))), told=is_told)


def _kind(problem: Problem) -> NewsKind | None:
    match problem.kind:
        case ProblemKind.RUN_HALTED:
            return NewsKind.QUESTION if problem.cause in QUESTION_CAUSES else NewsKind.RUN_HALTED
        case ProblemKind.USERS_FAILED:
            return NewsKind.USERS_FAILED
        case ProblemKind.SECRET_EXPIRED | ProblemKind.SECRET_EXPIRES:
            return NewsKind.SECRET_EXPIRES
        case ProblemKind.NOT_CONFIRMED:
            return NewsKind.NOT_CONFIRMED
        case _:
            return None


def _cause(problem: Problem, today: dt.date) -> str:
    if problem.run is not None:
        return f"run {problem.run}"
    if problem.reason is not None:
        return str(problem.reason)
    if problem.expires is not None:
        left = (problem.expires - today).days
        milestone = min((days for days in SECRET_MILESTONES if left <= days), default=left)
        return f"{problem.expires.isoformat()} {milestone if left >= 0 else 'expired'}"
    return str(problem.kind)


def problems_json(problems: Collection[Problem]) -> list[dict[str, Any]]:
    """Return problems as they are stored."""
    return [{**each.as_json(), "of_undo": each.of_undo} for each in problems]


def restore_problems(stored: Sequence[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """Return the problems that `problems_json` made objects of."""
    return tuple(_problem(each) for each in stored)


def _problem(stored: Mapping[str, Any]) -> Problem:
    since, expires = stored["since"], stored["expires"]
    return Problem(
        kind=ProblemKind(stored["kind"]),
        owner=Owner(stored["owner"]),
        run=None if stored["run"] is None else int(stored["run"]),
        cause=stored["cause"] and Cause(stored["cause"]),
        of_undo=stored["of_undo"],
        reason=stored["reason"] and Reason(stored["reason"]),
        users=stored["users"],
        since=since and dt.datetime.fromisoformat(since),
        expires=expires and dt.date.fromisoformat(expires),
    )
