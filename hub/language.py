"""The language of the pages: as the user chose, or else as the browser prefers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from flask import Blueprint, abort, g, redirect, request
from flask_babel import Babel

from schemas.reports.remedy import Language

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response

_COOKIE: Final = "update_sync_language"
_REMEMBERED: Final = dt.timedelta(days=365)

#: The schools' clock.
TIME_ZONE: Final = "Europe/Stockholm"

blueprint = Blueprint("language", __name__)


def install_language(app: Flask) -> None:
    """Have an app speak the languages, as its users choose."""
    install_translations(app)
    app.register_blueprint(blueprint)


def install_translations(app: Flask) -> None:
    """Have an app speak the languages."""
    app.config.update(BABEL_TRANSLATION_DIRECTORIES="translations", BABEL_DEFAULT_TIMEZONE=TIME_ZONE)
    Babel(app, locale_selector=lambda: str(current_language()))


def current_language() -> Language:
    """Return the language of the current request; English if the browser prefers none of ours."""
    if "language" not in g:
        chosen = request.cookies.get(_COOKIE)
        offered = [str(each) for each in Language]
        if chosen not in offered:
            chosen = request.accept_languages.best_match(offered)
        g.language = Language(chosen) if chosen else Language.ENGLISH
    return Language(g.language)


@blueprint.post("/language")
def choose() -> Response:
    """Remember the chosen language in the browser, and return to the page."""
    try:
        chosen = Language(request.form.get("language", ""))
    except ValueError:
        abort(400)
    answer = redirect(local_address(request.form.get("next", "")), 303)
    answer.set_cookie(
        _COOKIE, str(chosen), max_age=_REMEMBERED, samesite="Lax", httponly=True, secure=request.is_secure
    )
    return answer


def local_address(address: str) -> str:
    """Return an address of this site; the start page in place of any other."""
    is_local = address.startswith("/") and not address.startswith("//") and "\\" not in address
    return address if is_local and address.isascii() and address.isprintable() else "/"
