"""Skolon, Graph and Entra that are unavailable, slow, throttling, or answer with nonsense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from devtools.chaos.environment import PAGES

if TYPE_CHECKING:
    from devtools.chaos.environment import Environment
    from devtools.chaos.proxy import Ending, Proxy
    from devtools.chaos.schedule import Event

#: Seconds by which each piece that passes is late when Skolon is slow.
LATE: Final = 0.4
#: Seconds beyond the product's patience with an answer, which is a minute.
LONG_SILENCE: Final = 63.0
#: Seconds for a fault to strike all the requests that it is meant for, where its kind gives it none.
STRIKE: Final = 90.0
#: Seconds between two resets.
BETWEEN_RESETS: Final = 0.7


def skolon_error(environment: Environment, event: Event) -> bool:
    """Have Skolon answer the next requests with a status of failure, a proxy's page, or nonsense."""
    fault: dict[str, Any]
    match event.variant:
        case "502-page":
            fault = {"kind": "html", "status": 502}
        case "not-json":
            # Only searches get nonsense. With status 200 for a PATCH that was not carried out, Skolon would
            # confirm a change that it has not made.
            fault = {"kind": "not_json", "path_kind": "search"}
        case status:
            fault = {"kind": "status", "status": int(status)}
    return _strikes(environment, event, environment.stand_ins.skolon_fault(**fault, times=event.times))


def skolon_throttled(environment: Environment, event: Event) -> bool:
    """Have Skolon answer the next requests with 429."""
    wait = None if event.variant == "none" else event.variant
    number = environment.stand_ins.skolon_fault(
        kind="status", status=429, retry_after=wait, times=event.times
    )
    return _strikes(environment, event, number)


def skolon_down(environment: Environment, event: Event) -> bool:
    """Refuse every connection to Skolon for a while."""
    return _down(environment, environment.skolon, event.seconds)


def skolon_black_hole(environment: Environment, event: Event) -> bool:
    """Let nothing pass between us and Skolon for a while, and then reset the connections."""
    before = environment.skolon.touched
    environment.skolon.hold()
    try:
        environment.stopped.wait(LONG_SILENCE if event.variant == "long" else event.seconds)
    finally:
        environment.skolon.cut()
        environment.skolon.release()
    return environment.skolon.touched > before


def skolon_slow(environment: Environment, event: Event) -> bool:
    """Have everything between us and Skolon come late for a while."""
    before = environment.skolon.touched
    environment.skolon.delay(LATE)
    try:
        environment.stopped.wait(event.seconds)
    finally:
        environment.skolon.delay(0)
    return environment.skolon.touched > before


def skolon_reset(environment: Environment, event: Event) -> bool:
    """Break the connections to Skolon a few times, by a reset or by closing one half of each."""
    before = environment.skolon.touched
    for _ in range(event.times):
        if event.variant == "reset":
            environment.skolon.cut()
        else:
            environment.skolon.half_close()
        environment.stopped.wait(BETWEEN_RESETS)
    return environment.skolon.touched > before


def skolon_half_answer(environment: Environment, event: Event) -> bool:
    """Have the next answers of Skolon break off in their middle."""
    return _breaks(
        environment, environment.skolon, event.times, "reset" if event.variant == "reset" else "end"
    )


def skolon_token(environment: Environment, event: Event) -> bool:
    """Make the tokens of Skolon worthless before their time, a few times."""
    before = environment.stand_ins.tokens_issued("skolon")
    for _ in range(event.times):
        environment.stand_ins.expire_skolon_tokens()
        environment.stopped.wait(BETWEEN_RESETS)
    return environment.comes(STRIKE, lambda: environment.stand_ins.tokens_issued("skolon") > before)


def graph_throttled(environment: Environment, event: Event) -> bool:
    """Have Graph answer the next requests with 429, the wait in whole seconds or fractions of one."""
    wait = None if event.variant == "none" else event.variant
    number = environment.stand_ins.graph_fault(
        effect="error", status=429, retry_after=wait, times=event.times
    )
    return _strikes(environment, event, number)


def graph_error(environment: Environment, event: Event) -> bool:
    """Have Graph answer the next requests with a status of failure or a proxy's page."""
    fault: dict[str, Any] = {"effect": "html", "status": 502}
    if event.variant != "502-page":
        fault = {"effect": "error", "status": int(event.variant)}
    return _strikes(environment, event, environment.stand_ins.graph_fault(**fault, times=event.times))


def graph_down(environment: Environment, event: Event) -> bool:
    """Refuse every connection to Entra and Graph for a while."""
    return _down(environment, environment.microsoft, event.seconds)


def graph_half_answer(environment: Environment, event: Event) -> bool:
    """Have the next answers of Graph break off in their middle."""
    return _breaks(environment, environment.microsoft, event.times, "reset" if event.place < 1 / 2 else "end")


def graph_page_token(environment: Environment, event: Event) -> bool:
    """Have Graph forget the token of a page when that page is asked for."""
    code = "Directory_ExpiredPageToken" if event.place < 1 / 2 else "DirectoryPageTokenNotFoundException"
    number = environment.stand_ins.graph_fault(
        effect="expired_page_token", page=_later_page(event), code=code
    )
    return _strikes(environment, event, number)


def graph_repeated_link(environment: Environment, event: Event) -> bool:
    """Have a page lead to itself: the run is halted, and an operator resumes it."""
    number = environment.stand_ins.graph_fault(effect="repeated_link", page=_later_page(event))
    return _strikes(environment, event, number)


def graph_empty_page(environment: Environment, event: Event) -> bool:
    """Put empty pages before a page of the list."""
    number = environment.stand_ins.graph_fault(
        effect="empty_page", kind="users", page=_later_page(event), times=event.times
    )
    return _strikes(environment, event, number)


def graph_claims(environment: Environment, _event: Event) -> bool:
    """Have Graph refuse the token with a claims challenge."""
    before = environment.stand_ins.tokens_issued("entra")
    environment.stand_ins.demand_claims()
    return environment.comes(STRIKE, lambda: environment.stand_ins.tokens_issued("entra") > before)


def _later_page(event: Event) -> int:
    return 2 + int(event.place * (PAGES - 2))


def _down(environment: Environment, proxy: Proxy, seconds: float) -> bool:
    before = proxy.touched
    proxy.shut()
    try:
        environment.stopped.wait(seconds)
    finally:
        proxy.reopen()
    return proxy.touched > before


def _strikes(environment: Environment, event: Event, number: int) -> bool:
    """Wait until a fault has struck all its requests, or its time is over; say whether it struck any.

    Without the time limit, a fault of many requests would last for minutes, because an open circuit breaker
    sends probes only.
    """
    environment.comes(event.seconds or STRIKE, lambda: not environment.stand_ins.strikes_left(number))
    return environment.stand_ins.take_back(number) < event.times


def _breaks(environment: Environment, proxy: Proxy, times: int, ending: Ending) -> bool:
    """Have answers break off, and wait as `_strikes` does."""
    before = proxy.touched
    proxy.break_off(times, ending)
    environment.comes(STRIKE, lambda: not proxy.breaks_left)
    return proxy.touched > before
