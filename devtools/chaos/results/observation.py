"""Observes a finished round: through the product's commands, in the queues, and in the logs."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

import pika
import requests

from devtools.chaos.faults.small_tenants import BROKEN
from devtools.chaos.results.expectations import Account, expectation_of, expectation_of_broken
from sandbox.municipality.made_up_user import DOMAIN, SSN_SOURCE
from schemas.messages.messages import METADATA_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from devtools.chaos.environment import Environment
    from sandbox.municipality.municipality import MadeUpUser

#: Seconds for the queues to be empty after the end of the run.
DRAIN: Final = 120.0

#: Names of this length or shorter are also parts of other words, so that finding one proves nothing.
SHORT: Final = 4

_FORGED: Final = re.compile(rb"forged-\d+")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_NUMBER: Final = re.compile(r"\d[\d -]{6,}\d")

#: In the line of a retry: how many others with the same error were not logged.
_MORE_RETRIES: Final = re.compile(r'"more_messages": (\d+)')


@dataclass(frozen=True, kw_only=True)
class ObservedDeadLetter:
    """A dead letter as any AMQP client reads it. What it does not say is None."""

    queue: str
    message_id: str | None
    user: str | None
    reason: str | None
    #: The mark of a forged message.
    forged: str | None = None


@dataclass(kw_only=True)
class Observation:
    """What was found. `run` and `receipts` are as `runs show --users --json` prints them."""

    run: dict[str, Any]
    receipts: list[dict[str, Any]]
    dead_letters: list[ObservedDeadLetter]
    #: Messages that were left in queues other than those of dead letters.
    leftovers: dict[str, int]
    wrong: list[str]
    patches: dict[str, dict[str, int]]
    #: Messages that were retried, by their ids in the logs, and redeliveries that RabbitMQ counted.
    retried: int
    redelivered: int
    tracebacks: list[str] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)
    leaks: int = 0
    #: Commands that did not end when they were asked to.
    killed_in_the_end: list[str] = field(default_factory=list)
    #: The accounts of the small municipalities, where there are any.
    others: list[Account] = field(default_factory=list)
    #: The marks of all forged messages.
    forged: list[str] = field(default_factory=list)


def observe(environment: Environment) -> Observation:
    """Look at everything; the run has ended, or will not. Ends the product's commands on the way."""
    run = _run(environment, 1, "run")
    redelivered = _redelivered(environment)
    leftovers = _await_drained(environment)
    for pool in (environment.workers, environment.producer):
        pool.ask_to_end()
    ended = [pool.log.stem for pool in (environment.workers, environment.producer) if not pool.end()]
    others = list(_others(environment)) if environment.breakage else []
    dead_letters = read_dead_letters(
        environment.amqp_url, [name for name in _names(environment) if name.endswith(".XQ")]
    )
    log = "".join(
        path.read_text(encoding="utf-8", errors="replace") for path in environment.folder.glob("*.log")
    )
    return Observation(
        run=run,
        receipts=run.get("users", []),
        dead_letters=dead_letters,
        leftovers=leftovers,
        wrong=[*environment.stand_ins.wrong_users(), *_wrong_of_others(environment, others)],
        others=others,
        patches=environment.stand_ins.patches(),
        retried=len(set(_of_events(log, "retry_scheduled"))) + sum(map(int, _MORE_RETRIES.findall(log))),
        redelivered=redelivered,
        tracebacks=tracebacks(log),
        bugs=[line[:300] for line in log.splitlines() if '"bug"' in line or "UnexpectedError" in line],
        leaks=leaks(log, chain(environment.municipality, *environment.others.values())),
        killed_in_the_end=ended,
        forged=environment.forged,
    )


def _run(environment: Environment, number: int, name: str) -> dict[str, Any]:
    run = environment.command("runs", "show", str(number), "--users", "--limit", "100000") or {}
    (environment.folder / f"{name}.json").write_text(json.dumps(run, indent=1), encoding="utf-8")
    return run


def _others(environment: Environment) -> Iterator[Account]:
    for key, municipality in environment.others.items():
        progress = environment.progress(key)
        run = _run(environment, progress.run, key) if progress is not None and progress.run else {}
        expectation = expectation_of(municipality)
        if key == BROKEN and environment.breakage is not None:
            expectation = expectation_of_broken(municipality, environment.breakage)
        yield Account(key=key, run=run, receipts=run.get("users", []), expectation=expectation)


def _wrong_of_others(environment: Environment, others: Iterable[Account]) -> Iterator[str]:
    for account in others:
        unfinished = [
            receipt["user"]
            for receipt in account.receipts
            if receipt["outcome"] == "pending" or receipt["reason"] == "rejected_by_skolon"
        ]
        yield from environment.stand_ins.wrong_users_of(account.key, unfinished)


def read_dead_letters(amqp_url: str, queues: Iterable[str]) -> list[ObservedDeadLetter]:
    """Read all dead letters of those queues; they go back when the connection ends."""
    found: list[ObservedDeadLetter] = []
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        for queue in queues:
            while True:
                method, _, body = channel.basic_get(queue)
                if method is None:
                    break
                found.append(_dead_letter(queue, body))
    return found


def tracebacks(log: str) -> list[str]:
    """Return the last line of each traceback in a log."""
    found: list[str] = []
    lines = iter(log.splitlines())
    for line in lines:
        if line.startswith("Traceback (most recent call last)"):
            last = next((after for after in lines if after and not after.startswith(" ")), "")
            found.append(last[:200])
    return found


def leaks(log: str, people: Iterable[MadeUpUser]) -> int:
    """Count the different values of the made-up people that stand in a log, percent-encoded or not."""
    text = f"{log}\n{unquote(log)}"
    words, numbers = set(_WORD.findall(text)), {_bare(number) for number in _NUMBER.findall(text)}
    names: set[str] = set()
    personal: set[str] = set()
    for person in people:
        names |= {person.entra["givenName"], person.entra["surname"]}
        personal |= {
            _bare(person.entra["onPremisesExtensionAttributes"][SSN_SOURCE]),
            _bare(person.entra["mobilePhone"]),
        }
    addresses = text.count(f"@{DOMAIN}") + text.count(f"elev.{DOMAIN}")
    # Short names are words of other languages too.
    names = {name for name in names if len(name) > SHORT}
    return len(names & words) + len((personal - {""}) & numbers) + addresses


def _bare(number: str | None) -> str:
    return re.sub(r"\D", "", number or "")


def _dead_letter(queue: str, body: bytes) -> ObservedDeadLetter:
    mark = _FORGED.search(body)
    forged = None if mark is None else mark[0].decode()
    try:
        message = json.loads(body)
        section = message["options"].get(METADATA_KEY, {})
        user = message["kwargs"].get("user")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ObservedDeadLetter(queue=queue, message_id=None, user=None, reason=None, forged=forged)
    return ObservedDeadLetter(
        queue=queue,
        message_id=message.get("message_id"),
        user=user,
        reason=section.get("reason"),
        forged=forged,
    )


def _of_events(log: str, event: str) -> Iterable[str]:
    for line in log.splitlines():
        if f'"event": "{event}"' in line:
            try:
                yield str(json.loads(line)["message_id"])
            except (ValueError, KeyError):
                continue


def _await_drained(environment: Environment) -> dict[str, int]:
    """Wait until no queue but the dead letters' holds anything; return what is left when it is too long."""
    end = time.monotonic() + DRAIN
    while True:
        held = _held(environment)
        if held is not None and not held:
            return {}
        if time.monotonic() > end:
            return held if held is not None else {"?": 1}
        time.sleep(0.5)


def _queues(environment: Environment) -> list[dict[str, Any]] | None:
    vhost = quote(urlsplit(environment.amqp_url).path[1:], safe="")
    try:
        found: list[dict[str, Any]] = environment.servers.rabbitmq.call("GET", f"/queues/{vhost}").json()
    except requests.RequestException:
        return None
    return found


def _names(environment: Environment) -> list[str]:
    queues = _queues(environment)
    if not queues:
        raise RuntimeError("RabbitMQ does not name the queues")
    return [str(one["name"]) for one in queues]


def _held(environment: Environment) -> dict[str, int] | None:
    queues = _queues(environment)
    if queues is None or any("messages" not in one for one in queues):
        return None
    counts = Counter({one["name"]: one["messages"] for one in queues if not one["name"].endswith(".XQ")})
    return {name: count for name, count in counts.items() if count}


def _redelivered(environment: Environment) -> int:
    stats = [one.get("message_stats", {}) for one in _queues(environment) or []]
    return sum(int(one.get("redeliver", 0)) for one in stats)
