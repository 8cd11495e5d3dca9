"""Mail in a language: the pages' own words and sentences, outside of a request."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from functools import cached_property
from typing import TYPE_CHECKING, Final

from flask import Flask, g
from flask_babel import gettext, ngettext

from administration.notifications.repair_list import repair_entries
from hub.language import install_translations
from hub.notifications.texts import REPAIR_TITLES, already_changed, subject_of, what_happened, what_to_do
from hub.presentation.lists.files import csv_text
from hub.presentation.lists.repair import HEADINGS, repair_rows
from schemas.errors import UsageError
from schemas.notifications.news import Event, NewsKind
from schemas.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.notifications.delivery import Notification
    from schemas.reports.remedy import Language
    from store.store import Store


_HALTED: Final = (NewsKind.RUN_HALTED, NewsKind.QUESTION)


class MailWriter:
    """Writes mail; may be shared by threads. The repair list is read from the database when it is sent."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, notification: Notification, language: Language, link: str | None) -> EmailMessage:
        """Return a message without a receiver; raises `TransientError` (database)."""
        with self._app.app_context():
            g.language = language
            message = EmailMessage(policy=SMTP)
            message["Subject"] = one_line(_subject(notification))
            message["Content-Language"] = str(language)
            lines = _body(notification, language, link, self._already_changed(notification))
            message.set_content("\r\n".join(lines) + "\r\n", cte="quoted-printable")
            if notification.event is Event.REPAIR_LIST:
                self._attach_list(message, notification, language)
        return message

    @cached_property
    def _app(self) -> Flask:
        """An app without pages: it has the translations and the clock."""
        app = Flask("hub")
        install_translations(app)
        return app

    def _already_changed(self, notification: Notification) -> str:
        """Return what a halted run had changed before; nothing of what is about no such run."""
        run = next((each.run for each in notification.problems if each.run is not None), None)
        if run is None or notification.kind not in _HALTED or notification.event is not Event.PROBLEM:
            return ""
        with suppress(UsageError):  # the run may have been removed meanwhile
            if not self._store.runs.summary(run).run.dry_run:
                return already_changed(self._store.change_totals.for_run(run).users)
        return ""

    def _attach_list(self, message: EmailMessage, notification: Notification, language: Language) -> None:
        tenant, owner = notification.tenant or "", notification.owner
        entries = [
            each
            for each in repair_entries(tenant, now=dt.datetime.now(dt.UTC), store=self._store)
            if each.owner is owner
        ]
        text = csv_text(HEADINGS, repair_rows(entries, language), language)
        message.add_attachment(
            text.encode(), maintype="text", subtype="csv", filename=f"{tenant}-{owner}.csv"
        )


def _subject(notification: Notification) -> str:
    name = notification.tenant_name
    subject = str(subject_of(notification))
    return f"{name}: {subject}" if name else subject


def _body(notification: Notification, language: Language, link: str | None, changed: str) -> Iterator[str]:
    if notification.event is Event.REPAIR_LIST and notification.owner is not None:
        yield str(REPAIR_TITLES[notification.owner])
        yield ""
        yield str(
            ngettext(
                "%(num)d user could not be updated. The attached file says who it is and what to do.",
                "%(num)d users could not be updated. The attached file says who they are and what to do.",
                notification.users or 0,
            )
        )
        yield str(gettext("A user leaves the list when a run has found the user right."))
    else:
        yield from what_happened(notification, language)
        if changed:
            yield changed
        if to_do := what_to_do(notification):
            yield ""
            yield to_do
    if link is not None:
        yield ""
        yield str(gettext("More about it: %(link)s", link=link))
    yield ""
    yield "-- "
    yield str(gettext("Skolon Data Hub. Who gets this is chosen on the page Notifications."))
