"""Classifies what requests can raise.

The texts of foreign exceptions hold URLs, and URLs hold personal values: they are dropped, and the
words of this table stand in their place (promise P6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from requests import exceptions
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError
from urllib3.exceptions import HTTPError as Urllib3Error

from schemas.errors import FailureKind

if TYPE_CHECKING:
    from collections.abc import Mapping


class FailureCategory(Enum):
    """What a fault calls for."""

    #: The other side, or the way there, is away: try again later.
    UNAVAILABLE = auto()
    #: A setting names an address that cannot be asked: nothing works until it is mended.
    ADDRESS = auto()
    #: The request was made wrongly, by us.
    BUG = auto()


@dataclass(frozen=True, kw_only=True)
class TransportFailure:
    """Why there is no answer; `message` are fit for a log, and `kind` is for what is away.

    `reached` says whether the request may have reached the server. If not, the failure does not concern the
    request.
    """

    category: FailureCategory
    message: str
    kind: FailureKind | None = None
    reached: bool = True


class InvalidRequestError(RuntimeError):
    """A request of ours was made in a way that cannot be sent: a bug."""


class ResponseTooLargeError(exceptions.RequestException):
    """The other side sends more than anything that we ask for can be."""


def _away(message: str, kind: FailureKind, *, reached: bool = True) -> TransportFailure:
    return TransportFailure(category=FailureCategory.UNAVAILABLE, message=message, kind=kind, reached=reached)


def _address(message: str) -> TransportFailure:
    return TransportFailure(category=FailureCategory.ADDRESS, message=message)


def _bug(message: str) -> TransportFailure:
    return TransportFailure(category=FailureCategory.BUG, message=message)


#: The nearest ancestor counts, so the order of the rows does not matter.
TRANSPORT_FAILURES: Final[Mapping[type[Exception], TransportFailure]] = MappingProxyType(
    {
        exceptions.RequestException: _away("the request failed", FailureKind.NO_CONNECTION),
        exceptions.ConnectionError: _away("no connection, or it broke", FailureKind.NO_CONNECTION),
        exceptions.ProxyError: _away(
            "the proxy cannot be reached or refuses", FailureKind.NO_CONNECTION, reached=False
        ),
        exceptions.SSLError: _away(
            "TLS failed; is the certificate trusted? (UPDATE_SYNC_CA_BUNDLE names further authorities)",
            FailureKind.TLS,
            reached=False,
        ),
        exceptions.Timeout: _away("no answer in time", FailureKind.TIMEOUT),
        exceptions.ConnectTimeout: _away("no connection in time", FailureKind.TIMEOUT, reached=False),
        exceptions.ReadTimeout: _away("no answer in time", FailureKind.TIMEOUT),
        exceptions.ChunkedEncodingError: _away("the answer broke off", FailureKind.UNREADABLE),
        exceptions.ContentDecodingError: _away("the answer cannot be decompressed", FailureKind.UNREADABLE),
        exceptions.JSONDecodeError: _away("the answer is no JSON", FailureKind.UNREADABLE),
        ResponseTooLargeError: _away("the answer is too large", FailureKind.UNREADABLE),
        exceptions.HTTPError: _away("the answer is an error", FailureKind.UNREADABLE),
        exceptions.RetryError: _away("the request failed repeatedly", FailureKind.NO_CONNECTION),
        exceptions.TooManyRedirects: _away("the answer is a redirect", FailureKind.UNREADABLE),
        exceptions.URLRequired: _address("no address is set"),
        exceptions.MissingSchema: _address("the address lacks https://"),
        exceptions.InvalidSchema: _address("the address is neither https:// nor http://"),
        exceptions.InvalidURL: _address("the address is no valid URL"),
        exceptions.InvalidProxyURL: _address("the proxy's address is no valid URL"),
        exceptions.InvalidHeader: _bug("a header cannot be sent"),
        exceptions.InvalidJSONError: _bug("the body cannot be written as JSON"),
        exceptions.StreamConsumedError: _bug("an answer was read twice"),
        exceptions.UnrewindableBodyError: _bug("a body cannot be sent again"),
        # What requests lets through of the libraries below it.
        Urllib3Error: _away("no connection, or it broke", FailureKind.NO_CONNECTION),
        UnicodeError: _bug("a header or an address cannot be encoded"),
        OSError: _away(
            "the network or the file of certificate authorities cannot be used",
            FailureKind.NO_CONNECTION,
            reached=False,
        ),
    }
)

#: What to catch around a request.
TRANSPORT_ERRORS: Final = (exceptions.RequestException, Urllib3Error, UnicodeError, OSError)


def classify(error: Exception) -> TransportFailure:
    """Return the row of the nearest ancestor; raises KeyError for what is none of `TRANSPORT_ERRORS`."""
    for ancestor in type(error).__mro__:
        if ancestor in TRANSPORT_FAILURES:
            failure = TRANSPORT_FAILURES[ancestor]
            return replace(failure, reached=False) if _never_connected(error) else failure
    raise KeyError(type(error).__name__)


def _never_connected(error: Exception) -> bool:
    """Say whether no connection could be made (refused, no such name), for which requests has no word."""
    reason = error.args[0] if error.args else None
    return isinstance(reason, MaxRetryError) and isinstance(reason.reason, ConnectTimeoutError)
