"""The pages of a run: which have been read, and whether their links go round in a circle."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import HaltError
from schemas.outcomes import Cause, Status
from store import tables
from store.runs.waits import delete_page_wait

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from schemas.messages.messages import TenantPage
    from store.database import Database


class Pages:
    """The pages' table; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def should_read(self, page: TenantPage) -> bool:
        """Say whether a page is to be read: its run and scan are still on, and it has not been read.

        A second delivery of a page that was cut off is read again. So is a page of an earlier scan
        while the first page of the present one has not been read: the process that began that scan may have
        died before asking for it.
        """
        with self._database.transaction() as connection:
            attempt = _scan(connection, page.run)
            if attempt is None or attempt < page.attempt or _is_done(connection, page):
                return False
            first = dataclasses.replace(page, attempt=attempt, number=1)
            return attempt == page.attempt or not _is_done(connection, first)

    def record_next_link(self, page: TenantPage, next_link: str | None) -> None:
        """Note where the next page is; raise `HaltError` (`page_loop`) if that link led to a page before."""
        if next_link is None:
            return
        values = {
            "run_id": page.run,
            "attempt": page.attempt,
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
                    pages.c.run_id == page.run,
                    pages.c.attempt == page.attempt,
                    pages.c.link_hash == link_hash,
                )
            )
        # None: the same page, read a second time, has got a new link: Graph's tokens may differ.
        if led_to is not None and led_to <= page.number:
            raise HaltError(
                Cause.PAGE_LOOP,
                Detail(DetailKind.PAGES_IN_CIRCLE, page=page.number, earlier=int(led_to)),
            )

    def mark_done(self, page: TenantPage, *, users: int) -> None:
        """Note that a page and the message for the next one have been published."""
        pages = tables.pages
        with self._database.transaction() as connection:
            delete_page_wait(connection, page.run)
            noted = connection.execute(update(pages).where(*_is(page)).values(users=users, done=True))
            if not noted.rowcount:
                connection.execute(
                    insert(pages).values(
                        run_id=page.run, attempt=page.attempt, number=page.number, users=users, done=True
                    )
                )

    def users_read(self, page: TenantPage) -> int:
        """Return how many users were on the pages of the list that are done, however often each came."""
        pages = tables.pages
        with self._database.transaction() as connection:
            users = connection.scalar(
                select(func.coalesce(func.sum(pages.c.users), 0)).where(
                    pages.c.run_id == page.run, pages.c.attempt == page.attempt, pages.c.done.is_(True)
                )
            )
        return int(users or 0)

    def restart_listing(self, page: TenantPage) -> int | None:
        """Begin the list again; return the scan whose first page is to be asked for, if one is.

        That is None when the run has ended, or the first page of a later scan has been read. Raises
        `HaltError` (`page_token`) when the list has been begun again too often.
        """
        runs = tables.runs
        reading = runs.c.id == page.run, runs.c.status == Status.READING
        with self._database.transaction() as connection:
            begun = connection.execute(
                update(runs)
                .where(*reading, runs.c.attempt == page.attempt, runs.c.attempt < runs.c.max_attempt)
                .values(attempt=page.attempt + 1)
            )
            attempt = _scan(connection, page.run)
            if begun.rowcount or attempt is None:
                return attempt
            if attempt == page.attempt:
                raise HaltError(Cause.PAGE_TOKEN, Detail(DetailKind.PAGE_TOKEN_FORGOTTEN))
            first = dataclasses.replace(page, attempt=attempt, number=1)
            return None if _is_done(connection, first) else attempt


def _scan(connection: Connection, run_id: int) -> int | None:
    """Return the number of the present scan, None when the run is not being read."""
    runs = tables.runs
    return connection.scalar(
        select(runs.c.attempt).where(runs.c.id == run_id, runs.c.status == Status.READING)
    )


def _is_done(connection: Connection, page: TenantPage) -> bool:
    return bool(connection.scalar(select(tables.pages.c.done).where(*_is(page))))


def _is(page: TenantPage) -> tuple[ColumnElement[bool], ...]:
    pages = tables.pages
    return pages.c.run_id == page.run, pages.c.attempt == page.attempt, pages.c.number == page.number
