"""The API in an app, with its OpenAPI description at `/api/v1/openapi.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_smorest import Api

from hub.api import actions, resources
from hub.api import tasks as _tasks  # noqa: F401 - as above
from hub.api.mapping import resources as mapping
from hub.api.matches import operations as _matches  # noqa: F401 - adds its operations to those of actions
from hub.api.notifications import resources as notifications
from hub.api.schedule import operations as _schedule  # noqa: F401 - as above
from hub.api.set_up import resources as set_up
from runtime.version import VERSION

if TYPE_CHECKING:
    from flask import Flask

_BEARER: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of one tenant, from the Data Hub. What is done needs one that may act.",
}


class _Api(Api):  # type: ignore[misc] # flask-smorest ships no types
    """flask-smorest without its own error answers: `hub/errors.py` has one place for all."""

    def _register_error_handlers(self) -> None:
        """Leave the handlers as they are."""


def install_api(app: Flask) -> None:
    """Give an app the API and its description."""
    app.config.update(
        API_TITLE="Skolon Data Hub",
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = _Api(app)
    api.DEFAULT_ERROR_RESPONSE_NAME = None
    api.spec.components.security_scheme("token", _BEARER)
    api.spec.options["security"] = [{"token": []}]
    # Programs send no cookie that another site could use: their token is all that counts.
    for acting in (actions, set_up, mapping, notifications):
        app.extensions["csrf"].exempt(acting.blueprint)
    for part in (resources, actions, set_up, mapping, notifications):
        api.register_blueprint(part.blueprint)
