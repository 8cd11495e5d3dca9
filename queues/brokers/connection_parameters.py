"""Parses RabbitMQ's address; errors name its wrong options, but never their values."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlsplit

import pika

from schemas.errors import InvalidSettingsError

#: Seconds to wait while RabbitMQ blocks the connection (its memory or disk alarm).
BLOCKED_TIMEOUT: Final = 60

#: An address with which pika can check options without the real one.
_PLACEHOLDER_URL: Final = "amqp://localhost/?"


def connection_parameters(url: str, ca_bundle: str | None = None) -> pika.URLParameters:
    """Return pika's connection parameters; raises `InvalidSettingsError` that names every wrong option.

    The authorities in the file `ca_bundle` are trusted in addition to the system's.
    """
    try:
        parameters = pika.URLParameters(url)
    except Exception as error:
        faults = _invalid_options(url) or ["UPDATE_SYNC_AMQP_URL: Not a valid address of RabbitMQ."]
        raise InvalidSettingsError("The environment is not complete or not right:", faults) from error
    parameters.blocked_connection_timeout = BLOCKED_TIMEOUT
    if ca_bundle is not None and parameters.ssl_options is not None:
        parameters.ssl_options.context.load_verify_locations(ca_bundle)
    return parameters


def _invalid_options(url: str) -> list[str]:
    found: list[str] = []
    for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        option = f"{name}={value}"
        try:
            pika.URLParameters(_PLACEHOLDER_URL + option)
        except Exception:  # noqa: BLE001 - as above
            shown = "".join(character for character in name if character.isprintable())
            found.append(f"UPDATE_SYNC_AMQP_URL: The option {shown} is unknown, or its value wrong.")
    return found
