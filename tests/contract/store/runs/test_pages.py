"""Pages: each read once as a rule, twice without harm, and never in a circle."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from schemas.errors import HaltError
from schemas.outcomes import Cause
from tests.contract.store.factories import begin_run, complete, page, run_concurrently

if TYPE_CHECKING:
    from store.store import Store


def test_a_page_is_read_until_it_is_done(store: Store) -> None:
    """P4: a page that was cut off is read again, one that is done is not."""
    run = begin_run(store, "event")
    assert store.pages.should_read(page(run))
    store.pages.record_next_link(page(run), "link-2")
    assert store.pages.should_read(page(run))
    store.pages.mark_done(page(run), users=3)
    assert not store.pages.should_read(page(run))
    assert store.pages.should_read(page(run, 2, "link-2"))


def test_pages_of_runs_that_are_over_are_not_read(store: Store) -> None:
    """A page's message that comes late reads nothing."""
    run = begin_run(store, "event")
    store.runs.halt(run.id, Cause.BUG, "a bug")
    assert not store.pages.should_read(page(run))
    store.runs.cancel(run.id)
    assert not store.pages.should_read(page(run))
    done = begin_run(store, "second_store")
    complete(store, done)
    assert not store.pages.should_read(page(done, 2, "link-2"))
    assert not store.pages.should_read(dataclasses.replace(page(done), run=done.id + 1000))


@pytest.mark.parametrize("back_to", [2, 3])
def test_a_link_that_was_followed_before_halts(store: Store, back_to: int) -> None:
    """A next link that led to an earlier page, or to the very page that gives it, is a loop."""
    run = begin_run(store, "event")
    links = [None, "link-2", "link-3"]
    for number in (1, 2):
        current = page(run, number, links[number - 1])
        store.pages.record_next_link(current, links[number])
        store.pages.mark_done(current, users=1)
    with pytest.raises(HaltError) as caught:
        store.pages.record_next_link(page(run, 3, "link-3"), f"link-{back_to}")
    assert caught.value.cause is Cause.PAGE_LOOP


def test_a_page_read_twice_is_no_loop(store: Store, second_store: Store) -> None:
    """P4: a page delivered twice, one after the other or at once, gives the same link without a fault."""
    run = begin_run(store, "event")
    for number, link in ((1, "link-2"), (2, "link-3")):
        current = page(run, number, f"link-{number}" if number > 1 else None)

        def check(books: Store, current: object = current, link: str = link) -> None:
            books.pages.record_next_link(current, link)  # type: ignore[arg-type] # a page; a default has no type

        assert run_concurrently(lambda: check(store), lambda: check(second_store)) == [None, None]
        store.pages.record_next_link(current, link)
        store.pages.mark_done(current, users=1)


def test_a_page_read_twice_may_get_another_link(store: Store) -> None:
    """Graph's tokens are opaque: a second reading of a page may continue with another one."""
    run = begin_run(store, "event")
    store.pages.record_next_link(page(run), "link-2")
    store.pages.record_next_link(page(run), "link-2 in other words")
    assert store.pages.should_read(page(run, 2, "link-2 in other words"))


def test_the_last_page_has_no_link(store: Store) -> None:
    """The end of the list is no loop, however often it is reached."""
    run = begin_run(store, "event")
    store.pages.record_next_link(page(run), None)
    store.pages.record_next_link(page(run), None)


def test_a_scan_is_begun_again_once(store: Store, second_store: Store) -> None:
    """Pages that find their token expired in the same moment begin the list again once, not each."""
    run = begin_run(store, "event")
    attempts = run_concurrently(
        *[lambda b=b: b.pages.restart_listing(page(run)) for b in [store, second_store] * 3]
    )
    assert set(attempts) == {2}
    assert store.runs.get(run.id).attempt == 2
    assert store.pages.should_read(page(run, attempt=2))


def test_links_of_an_earlier_scan_may_come_again(store: Store) -> None:
    """A list that is begun again may be read by the very same links."""
    run = begin_run(store, "event")
    store.pages.record_next_link(page(run), "link-2")
    store.pages.mark_done(page(run), users=1)
    store.pages.restart_listing(page(run))
    store.pages.record_next_link(page(run, attempt=2), "link-2")
    assert store.pages.should_read(page(run, 2, "link-2", attempt=2))


def test_a_list_is_not_begun_for_ever(store: Store) -> None:
    """After five new beginnings the run halts, with a cause of its own."""
    run = begin_run(store, "event")
    for attempt in range(1, 6):
        assert store.pages.restart_listing(page(run, attempt=attempt)) == attempt + 1
    with pytest.raises(HaltError) as caught:
        store.pages.restart_listing(page(run, attempt=6))
    assert caught.value.cause is Cause.PAGE_TOKEN


def test_a_resumed_run_may_begin_its_list_again(store: Store) -> None:
    """A run that was halted for its page tokens, and resumed, has its five new beginnings again."""
    run = begin_run(store, "event")
    for attempt in range(1, 6):
        store.pages.restart_listing(page(run, attempt=attempt))
    store.runs.halt(run.id, Cause.PAGE_TOKEN, "five times")
    resumed = store.runs.resume(run.id)
    assert store.pages.restart_listing(page(run, attempt=resumed.attempt)) == resumed.attempt + 1


def test_a_crash_before_the_new_scans_first_page_is_mended(store: Store) -> None:
    """P8: a crash between beginning a list again and asking for its first page leaves no run stuck.

    The old page's message is delivered again: it finds its token expired as before, and is given the
    new scan to ask for.
    """
    run = begin_run(store, "event")
    store.pages.should_read(page(run))
    attempt = store.pages.restart_listing(page(run))
    assert store.pages.should_read(page(run))
    assert store.pages.restart_listing(page(run)) == attempt
    store.pages.mark_done(page(run, attempt=2), users=0)
    assert not store.pages.should_read(page(run))
    assert store.pages.restart_listing(page(run)) is None
