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

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
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
    """Why there is no answer; `message` is fit for a log, and `kind` is for what is away.

    `reached` says whether the request may have reached the server. If not, the failure does not concern the
    request.
    """

    category: FailureCategory
    message: Detail
    kind: FailureKind | None = None
    reached: bool = True


class InvalidRequestError(RuntimeError):
    """A request of ours was made in a way that cannot be sent: a bug."""


class ResponseTooLargeError(exceptions.RequestException):
    """The other side sends more than anything that we ask for can be."""


def _away(message: DetailKind, kind: FailureKind, *, reached: bool = True) -> TransportFailure:
    return TransportFailure(
        category=FailureCategory.UNAVAILABLE, message=Detail(message), kind=kind, reached=reached
    )


def _address(message: DetailKind) -> TransportFailure:
    return TransportFailure(category=FailureCategory.ADDRESS, message=Detail(message))


def _bug(message: DetailKind) -> TransportFailure:
    return TransportFailure(category=FailureCategory.BUG, message=Detail(message))


#: The nearest ancestor counts, so the order of the rows does not matter.
TRANSPORT_FAILURES: Final[Mapping[type[Exception], TransportFailure]] = MappingProxyType(
    {
        exceptions.RequestException: _away(DetailKind.REQUEST_FAILED, FailureKind.NO_CONNECTION),
        exceptions.ConnectionError: _away(DetailKind.CONNECTION_FAILED, FailureKind.NO_CONNECTION),
        exceptions.ProxyError: _away(DetailKind.PROXY_FAILED, FailureKind.NO_CONNECTION, reached=False),
        exceptions.SSLError: _away(
            DetailKind.TLS_FAILED,
            FailureKind.TLS,
            reached=False,
        ),
        exceptions.Timeout: _away(DetailKind.NO_ANSWER_IN_TIME, FailureKind.TIMEOUT),
        exceptions.ConnectTimeout: _away(
            DetailKind.NO_CONNECTION_IN_TIME, FailureKind.TIMEOUT, reached=False
        ),
        exceptions.ReadTimeout: _away(DetailKind.NO_ANSWER_IN_TIME, FailureKind.TIMEOUT),
        exceptions.ChunkedEncodingError: _away(DetailKind.ANSWER_BROKE_OFF, FailureKind.UNREADABLE),
        exceptions.ContentDecodingError: _away(DetailKind.ANSWER_NOT_DECOMPRESSED, FailureKind.UNREADABLE),
        exceptions.JSONDecodeError: _away(DetailKind.ANSWER_NO_JSON, FailureKind.UNREADABLE),
        ResponseTooLargeError: _away(DetailKind.ANSWER_TOO_LARGE, FailureKind.UNREADABLE),
        exceptions.HTTPError: _away(DetailKind.ANSWER_IS_ERROR, FailureKind.UNREADABLE),
        exceptions.RetryError: _away(DetailKind.FAILED_REPEATEDLY, FailureKind.NO_CONNECTION),
        exceptions.TooManyRedirects: _away(DetailKind.ANSWER_IS_REDIRECT, FailureKind.UNREADABLE),
        exceptions.URLRequired: _address(DetailKind.NO_ADDRESS),
        exceptions.MissingSchema: _address(DetailKind.ADDRESS_WITHOUT_SCHEME),
        exceptions.InvalidSchema: _address(DetailKind.ADDRESS_WITH_ODD_SCHEME),
        exceptions.InvalidURL: _address(DetailKind.ADDRESS_INVALID),
        exceptions.InvalidProxyURL: _address(DetailKind.PROXY_ADDRESS_INVALID),
        exceptions.InvalidHeader: _bug(DetailKind.HEADER_UNSENDABLE),
        exceptions.InvalidJSONError: _bug(DetailKind.BODY_NO_JSON),
        exceptions.StreamConsumedError: _bug(DetailKind.ANSWER_READ_TWICE),
        exceptions.UnrewindableBodyError: _bug(DetailKind.BODY_NOT_SENT_AGAIN),
        # What requests lets through of the libraries below it.
        Urllib3Error: _away(DetailKind.CONNECTION_FAILED, FailureKind.NO_CONNECTION),
        UnicodeError: _bug(DetailKind.NOT_ENCODABLE),
        OSError: _away(
            DetailKind.NETWORK_UNUSABLE,
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
