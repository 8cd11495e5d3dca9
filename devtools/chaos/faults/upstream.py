"""Skolon, Graph and Entra that are away, slow, throttling, or answer with anything but the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from devtools.chaos.environment import PAGES

if TYPE_CHECKING:
    from devtools.chaos.environment import Scene
    from devtools.chaos.proxy import Door, Ending
    from devtools.chaos.schedule import Event

#: Seconds by which each piece that passes is late when Skolon is slow.
LATE: Final = 0.4
#: Seconds beyond the product's patience with an answer, which is a minute.
LONG_SILENCE: Final = 63.0
#: Seconds for a fault to strike all the requests that it is meant for, where its kind gives it none.
STRIKE: Final = 90.0
#: Seconds between two resets.
BETWEEN_RESETS: Final = 0.7


def skolon_error(scene: Scene, event: Event) -> bool:
    """Have Skolon answer the next requests with a status of failure, a proxy's page, or nonsense."""
    fault: dict[str, Any]
    match event.variant:
        case "502-page":
            fault = {"kind": "html", "status": 502}
        case "not-json":
            # Searches alone: nonsense with status 200 in answer to a PATCH that was not carried out
            # would be a Skolon that says that it has done what it has not.
            fault = {"kind": "not_json", "path_kind": "search"}
        case status:
            fault = {"kind": "status", "status": int(status)}
    return _strikes(scene, event, scene.stand_ins.skolon_fault(**fault, times=event.times))


def skolon_throttled(scene: Scene, event: Event) -> bool:
    """Have Skolon answer the next requests with 429."""
    wait = None if event.variant == "none" else event.variant
    number = scene.stand_ins.skolon_fault(kind="status", status=429, retry_after=wait, times=event.times)
    return _strikes(scene, event, number)


def skolon_down(scene: Scene, event: Event) -> bool:
    """Refuse every connection to Skolon for a while."""
    return _down(scene, scene.skolon, event.seconds)


def skolon_black_hole(scene: Scene, event: Event) -> bool:
    """Let nothing pass between us and Skolon for a while, and then reset the connections."""
    before = scene.skolon.touched
    scene.skolon.hold()
    try:
        scene.stopped.wait(LONG_SILENCE if event.variant == "long" else event.seconds)
    finally:
        scene.skolon.cut()
        scene.skolon.let_go()
    return scene.skolon.touched > before


def skolon_slow(scene: Scene, event: Event) -> bool:
    """Have everything between us and Skolon come late for a while."""
    before = scene.skolon.touched
    scene.skolon.delay(LATE)
    try:
        scene.stopped.wait(event.seconds)
    finally:
        scene.skolon.delay(0)
    return scene.skolon.touched > before


def skolon_reset(scene: Scene, event: Event) -> bool:
    """Break the connections to Skolon a few times, by a reset or by closing one half of each."""
    before = scene.skolon.touched
    for _ in range(event.times):
        if event.variant == "reset":
            scene.skolon.cut()
        else:
            scene.skolon.half_close()
        scene.stopped.wait(BETWEEN_RESETS)
    return scene.skolon.touched > before


def skolon_half_answer(scene: Scene, event: Event) -> bool:
    """Have the next answers of Skolon break off in their middle."""
    return _breaks(scene, scene.skolon, event.times, "reset" if event.variant == "reset" else "end")


def skolon_token(scene: Scene, event: Event) -> bool:
    """Make the tokens of Skolon worthless before their time, a few times."""
    before = scene.stand_ins.tokens_issued("skolon")
    for _ in range(event.times):
        scene.stand_ins.expire_skolon_tokens()
        scene.stopped.wait(BETWEEN_RESETS)
    return scene.comes(STRIKE, lambda: scene.stand_ins.tokens_issued("skolon") > before)


def graph_throttled(scene: Scene, event: Event) -> bool:
    """Have Graph answer the next requests with 429, the wait in whole seconds or fractions of one."""
    wait = None if event.variant == "none" else event.variant
    number = scene.stand_ins.graph_fault(effect="error", status=429, retry_after=wait, times=event.times)
    return _strikes(scene, event, number)


def graph_error(scene: Scene, event: Event) -> bool:
    """Have Graph answer the next requests with a status of failure or a proxy's page."""
    fault: dict[str, Any] = {"effect": "html", "status": 502}
    if event.variant != "502-page":
        fault = {"effect": "error", "status": int(event.variant)}
    return _strikes(scene, event, scene.stand_ins.graph_fault(**fault, times=event.times))


def graph_down(scene: Scene, event: Event) -> bool:
    """Refuse every connection to Entra and Graph for a while."""
    return _down(scene, scene.microsoft, event.seconds)


def graph_half_answer(scene: Scene, event: Event) -> bool:
    """Have the next answers of Graph break off in their middle."""
    return _breaks(scene, scene.microsoft, event.times, "reset" if event.place < 1 / 2 else "end")


def graph_page_token(scene: Scene, event: Event) -> bool:
    """Have Graph forget the token of a page when that page is asked for."""
    code = "Directory_ExpiredPageToken" if event.place < 1 / 2 else "DirectoryPageTokenNotFoundException"
    number = scene.stand_ins.graph_fault(effect="expired_page_token", page=_later_page(event), code=code)
    return _strikes(scene, event, number)


def graph_repeated_link(scene: Scene, event: Event) -> bool:
    """Have a page lead to itself: the run is halted, and an operator resumes it."""
    number = scene.stand_ins.graph_fault(effect="repeated_link", page=_later_page(event))
    return _strikes(scene, event, number)


def graph_empty_page(scene: Scene, event: Event) -> bool:
    """Put empty pages before a page of the list."""
    number = scene.stand_ins.graph_fault(
        effect="empty_page", kind="users", page=_later_page(event), times=event.times
    )
    return _strikes(scene, event, number)


def graph_claims(scene: Scene, _event: Event) -> bool:
    """Have Graph refuse the token with a claims challenge."""
    before = scene.stand_ins.tokens_issued("entra")
    scene.stand_ins.demand_claims()
    return scene.comes(STRIKE, lambda: scene.stand_ins.tokens_issued("entra") > before)


def _later_page(event: Event) -> int:
    return 2 + int(event.place * (PAGES - 2))


def _down(scene: Scene, door: Door, seconds: float) -> bool:
    before = door.touched
    door.shut()
    try:
        scene.stopped.wait(seconds)
    finally:
        door.reopen()
    return door.touched > before


def _strikes(scene: Scene, event: Event, number: int) -> bool:
    """Wait until a fault has struck all its requests, or its time is over; say whether it struck any.

    Without the second, a fault of many requests would last for minutes: who holds back probes alone.
    """
    scene.comes(event.seconds or STRIKE, lambda: not scene.stand_ins.strikes_left(number))
    return scene.stand_ins.take_back(number) < event.times


def _breaks(scene: Scene, door: Door, times: int, ending: Ending) -> bool:
    """Have answers break off, and wait as `_strikes` does."""
    before = door.touched
    door.break_off(times, ending)
    scene.comes(STRIKE, lambda: not door.breaks_left)
    return door.touched > before
