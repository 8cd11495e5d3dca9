"""The app factory: nothing is read, and nothing connects, before it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Flask, g, request
from jinja2 import StrictUndefined
from markupsafe import Markup
from werkzeug.urls import iri_to_uri

from clients.http.deadlines import time_limit
from hub import language, request_log
from hub.access import install_access, is_allowed
from hub.actions import cancel, resume, start, sync_user, undo
from hub.api.description import install_api
from hub.errors import install_errors
from hub.pages import (
    attention,
    audit,
    entra_sign_in,
    permissions,
    report,
    run_users,
    runs,
    settings,
    sign_in,
    syncs,
    tokens,
    users,
)
from hub.pages.mapping import drafts
from hub.pages.mapping import overview as mapping
from hub.pages.matches import decisions
from hub.pages.matches import pages as matches
from hub.pages.members import pages as members
from hub.pages.notifications import pages as notifications
from hub.pages.notifications import repair
from hub.pages.schedule import pages as schedule
from hub.pages.set_up import organisations
from hub.pages.set_up import pages as set_up
from hub.pages.tasks import choose, watch
from hub.presentation import times, words
from hub.presentation.actions.operators import operator_text
from hub.presentation.actions.tasks import TASK_COLOURS, TASK_KINDS, TASK_STATUSES
from hub.presentation.links import with_links
from hub.presentation.menu import TENANT_PAGES
from hub.presentation.run_kinds import kind_text, status_text
from hub.security import install_security
from hub.services import EXTENSION, hub_services
from runtime.version import VERSION
from schemas.details.names import ATTRIBUTE_NAMES
from schemas.hub.access import Access
from schemas.reports.remedy import Language
from schemas.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from hub.services import HubServices

#: Seconds of a page for all that it asks of Entra and Skolon. What has not come by then is missing, and the
#: page says so: a person waits no longer.
_ASKING_TIME: Final = 6.0

#: Between the digits of large numbers, in Swedish.
_NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"

#: The languages in their own words.
_LANGUAGES = {Language.SWEDISH: "Svenska", Language.ENGLISH: "English"}


def create_app(services: HubServices) -> Flask:
    """Return the pages over some services, as a WSGI application."""
    app = Flask(__name__)
    app.extensions[EXTENSION] = services
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.finalize = _as_text
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    # In this order a request is logged also when a later step refuses it.
    request_log.install_request_log(app)
    install_access(app)
    install_security(app, services.cookie_keys)
    install_errors(app)
    language.install_language(app)
    for door in (sign_in, entra_sign_in, permissions, members, organisations, audit):
        app.register_blueprint(door.blueprint)
    for page in (syncs, attention, runs, run_users, report, users, settings, set_up, mapping, drafts, tokens):
        app.register_blueprint(page.blueprint)
    for told in (notifications.blueprint, notifications.of_operators, repair.blueprint):
        app.register_blueprint(told)
    for action in (start, sync_user, cancel, resume, undo, choose, watch, matches, decisions, schedule):
        app.register_blueprint(action.blueprint)
    install_api(app)
    app.add_template_filter(times.moment, "moment")
    app.add_template_filter(times.day, "day")
    app.add_template_filter(times.foreign_moment, "foreign_moment")
    app.add_template_filter(with_links, "with_links")
    app.add_template_filter(one_line, "exactly")
    app.add_template_filter(_as_lines, "as_lines")
    app.add_template_filter(operator_text, "operator")
    app.add_template_filter(kind_text, "run_kind")
    app.add_template_filter(status_text, "run_status")
    app.context_processor(_for_every_page)
    app.wsgi_app = _within_asking_time(app.wsgi_app)  # type: ignore[assignment, method-assign] # Flask's documented way of middleware
    return app


def _within_asking_time(pages: WSGIApplication) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with time_limit(_ASKING_TIME):
            return pages(environ, start_response)

    return answer


def _here() -> str:
    """Return the address of this page, to come back to it; that of the start page if it is no page."""
    if request.method != "GET" or request.endpoint is None:
        return "/"
    return iri_to_uri(request.full_path.rstrip("?"))


def _as_text(value: Any) -> Any:
    """Return what a page writes: a text that could move a cursor or turn the writing is shown as what it is.

    Jinja escapes markup after that; what a template has made already is left as it is. Swedish numbers have
    no-break spaces in them.
    """
    if isinstance(value, str) and not isinstance(value, Markup) and not value.isprintable():
        return _NO_BREAK_SPACE.join(map(one_line, value.split(_NO_BREAK_SPACE)))
    return value


def _as_lines(text: str) -> Markup:
    """Return what a field of several lines holds: its line breaks stay, and the rest is as `_as_text` has it.

    With a line break that became an escape, the field could not be sent again as it stands.
    """
    return Markup("\n").join(one_line(line) for line in text.splitlines())


def _for_every_page() -> dict[str, Any]:
    member = g.get("member")
    return {
        "member": member,
        "manages_members": member is not None and is_allowed(Access.ADMINISTRATOR, member, ""),
        "language": language.current_language(),
        "languages": _LANGUAGES,
        "version": VERSION,
        "here": _here(),
        "attribute_names": ATTRIBUTE_NAMES[language.current_language()],
        "tenant_pages": TENANT_PAGES,
        "has_entra": hub_services().entra is not None,
        "words": words,
        "support": hub_services().support,
        "task_kinds": TASK_KINDS,
        "task_statuses": TASK_STATUSES,
        "task_colours": TASK_COLOURS,
    }
