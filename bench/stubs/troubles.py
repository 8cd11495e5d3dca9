"""Faults of one Skolon organisation while all others work."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from bench.stubs.http import answered

_USER_NAME: Final = re.compile(r'"userName": ?"[^"]*"')


class Trouble(StrEnum):
    """A fault: what an organisation answers instead of a good response."""

    UNAVAILABLE = "503"
    UNKNOWN = "404-page"
    NOT_IMPLEMENTED = "501"
    MALFORMED = "malformed"
    SILENT = "silent"


_PAGE: Final = b"<!DOCTYPE html><title>Not here</title><p>There is nothing at this address."


def failing(trouble: Trouble) -> bytes | None:
    """Return the faulty response, empty for silence; None when requests are answered normally."""
    match trouble:
        case Trouble.UNAVAILABLE:
            return answered(503)
        case Trouble.UNKNOWN:
            return answered(404, _PAGE, kind="text/html")
        case Trouble.NOT_IMPLEMENTED:
            return answered(501)
        case Trouble.SILENT:
            return b""
        case Trouble.MALFORMED:
            return None


def malformed(user: str) -> str:
    """Return a user as JSON whose user name is not a string."""
    return _USER_NAME.sub('"userName":5', user, count=1)
