"""The pages of a run: which have been read, and whether their links go round in a circle."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from schemas.errors import HaltError
from schemas.outcomes import Cause, Status
from store import tables

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from schemas.messages import TenantPage
    from store.database import Database

#: How often a list is begun again because Graph no longer knew the page's token.
MOST_SCANS: Final = 6


class Pages:
    """The pages' table; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, page: TenantPage) -> bool:
        """Say whether a page is to be read: its run and scan are still on, and nobody has read it.

        A second delivery of a page that was cut off is read again.
        """
        runs, pages = tables.runs, tables.pages
        with self._database.transaction() as connection:
            scan = connection.scalar(
                select(runs.c.scan).where(runs.c.id == page.run, runs.c.status == Status.READING)
            )
            done = connection.scalar(select(pages.c.done).where(*_is(page)))
            return scan == page.scan and not done

    def check_link(self, page: TenantPage, next_link: str | None) -> None:
        """Note where the next page is; raise `HaltError` (`page_loop`) if that link led to a page before."""
        if next_link is None:
            return
        values = {
            "run_id": page.run,
            "scan": page.scan,
            "number": page.number + 1,
            "link_hash": hashlib.sha256(next_link.encode()).hexdigest(),
            "done": False,
        }
        try:
            with self._database.transaction() as connection:
                connection.execute(insert(tables.pages).values(values))
        except IntegrityError:
            self._check_repetition(page, values["link_hash"])

    def _check_repetition(self, page: TenantPage, link_hash: object) -> None:
        pages = tables.pages
        with self._database.transaction() as connection:
            led_to = connection.scalar(
                select(pages.c.number).where(
                    pages.c.run_id == page.run, pages.c.scan == page.scan, pages.c.link_hash == link_hash
                )
            )
        # None: the same page, read a second time, has got a new link: Graph's tokens may differ.
        if led_to is not None and led_to <= page.number:
            raise HaltError(
                Cause.PAGE_LOOP,
                f"Graph's page {page.number} leads back to page {led_to}; the list would never end",
            )

    def done(self, page: TenantPage, *, users: int) -> None:
        """Note that a page and the message for the next one have been published."""
        pages = tables.pages
        with self._database.transaction() as connection:
            noted = connection.execute(update(pages).where(*_is(page)).values(users=users, done=True))
            if not noted.rowcount:
                connection.execute(
                    insert(pages).values(
                        run_id=page.run, scan=page.scan, number=page.number, users=users, done=True
                    )
                )

    def restart_scan(self, run_id: int, scan: int) -> int | None:
        """Begin the list again; return the new scan's number, or None if somebody else has begun it.

        Raises `HaltError` (`page_token`) when it has been begun again too often.
        """
        runs = tables.runs
        if scan >= MOST_SCANS:
            raise HaltError(
                Cause.PAGE_TOKEN, f"Graph forgot the page's token in each of {scan} readings of the list"
            )
        with self._database.transaction() as connection:
            begun = connection.execute(
                update(runs)
                .where(runs.c.id == run_id, runs.c.scan == scan, runs.c.status == Status.READING)
                .values(scan=scan + 1)
            )
        return scan + 1 if begun.rowcount else None


def _is(page: TenantPage) -> tuple[ColumnElement[bool], ...]:
    pages = tables.pages
    return pages.c.run_id == page.run, pages.c.scan == page.scan, pages.c.number == page.number
