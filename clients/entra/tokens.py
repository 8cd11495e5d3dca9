"""Tokens for Microsoft Graph, by msal: one application per tenant and process, one request at a time."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import msal
from cachetools import LRUCache
from requests.exceptions import RequestException

from clients.entra.errors import token_error
from clients.http.errors import TRANSPORT_ERRORS, FailureCategory, classify
from clients.http.origins import is_same_origin, origin_of
from clients.http.retry_after import retry_after
from clients.http.session import HttpSession, json_object
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import Dependency, FailureKind, HaltError, TransientError
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from schemas.tenants.tenant import Credentials

#: Tenants whose application is kept; the one that was not used for longest goes first (promise P10).
CAPACITY: Final = 500

#: Statuses whose body says what is wrong with the request (RFC 6749 section 5.2).
_ERRORS_WITH_WORDS: Final = frozenset({400, 401, 403, 404})
_OK: Final = 200


class _InvalidResponseError(RequestException):
    """Whatever came is not an answer of Entra's; of requests' kind, so that msal takes it for an outage."""

    def __init__(self, message: str, status: int, wait: float | None) -> None:
        super().__init__()
        self.message = message
        self.status = status
        self.wait = wait


class _ForeignEndpointError(RequestException):
    """Entra names an address that is not where it is configured to be; of requests' kind as well."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__()
        origin = origin_of(found)
        self.message = Detail(
            DetailKind.FOREIGN_TOKEN_ENDPOINT,
            expected=str(origin_of(expected) or ""),
            found=Detail(DetailKind.ODD_ADDRESS) if origin is None else str(origin),
        )


class _MsalHttp:
    """What msal asks through: lets it see answers that can be understood, and keeps the last of them.

    The client secret goes to the configured authority alone, whatever its OpenID configuration says.

    So nothing else can come out of msal than its dict, an exception of requests, or a complaint about
    an answer that is kept here.
    """

    def __init__(self, session: HttpSession, authority: str) -> None:
        self._session = session
        self._authority = authority
        self.last: dict[str, Any] = {}

    def post(self, url: str, **kwargs: Any) -> requests.Response:
        """Ask the token endpoint."""
        self._check(url)
        return self._understood(self._session.request("POST", url, **kwargs))

    def get(self, url: str, **kwargs: Any) -> requests.Response:
        """Ask for the directory's OpenID configuration."""
        self._check(url)
        response = self._understood(self._session.request("GET", url, **kwargs))
        if isinstance(named := self.last.get("token_endpoint"), str):
            self._check(named)
        return response

    def _check(self, url: str) -> None:
        if not is_same_origin(self._authority, url):
            raise _ForeignEndpointError(url, self._authority)

    def close(self) -> None:
        """Leave the session alone: others use it."""

    def _understood(self, response: requests.Response) -> requests.Response:
        body = json_object(response)
        status = response.status_code
        self.last = body or {}
        if body is None or (status != _OK and status not in _ERRORS_WITH_WORDS):
            wait = retry_after(response.headers.get("Retry-After"), now=dt.datetime.now(dt.UTC))
            what = f"HTTP {status}" if body is not None else f"HTTP {status} without JSON"
            raise _InvalidResponseError(what, status, wait)
        return response


class _Application:
    """One msal application and what is known of it; `lock` is held around every use."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.msal: Any = None
        self.http: _MsalHttp | None = None
        self.failure: HaltError | TransientError | None = None
        self.failed_at = 0.0


class EntraTokens:
    """Gives tokens for Graph; may be shared by threads, and is made to be."""

    def __init__(
        self,
        session: HttpSession,
        *,
        authority: str,
        scope: str,
        capacity: int = CAPACITY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the authority without a tenant, such as https://login.microsoftonline.com, and the scope."""
        self._session = session
        self._authority = authority.rstrip("/")
        self._scopes = [scope]
        self._clock = clock
        self._lock = threading.Lock()
        self._applications: LRUCache[Credentials, _Application] = LRUCache(capacity)

    def token(
        self, credentials: Credentials, *, refused: str | None = None, claims: str | None = None
    ) -> str:
        """Return a token that is good for some minutes more.

        `refused` is one that Graph did not take, and `claims` what it asked for (a claims challenge):
        then a new one is fetched, unless another thread has done so meanwhile. Threads that waited for
        one that failed share its failure. Raises `HaltError` (`entra_credentials`) or `TransientError`.
        """
        arrived = self._clock()
        application = self._application(credentials)
        with application.lock:
            if application.failure is not None and application.failed_at >= arrived:
                raise _again(application.failure)
            outcome = self._fetch(application, credentials, refused, claims)
            if isinstance(outcome, str):
                application.failure = None
                return outcome
            application.failure, application.failed_at = outcome, self._clock()
            if isinstance(outcome, HaltError):
                # msal remembers a refusal for a minute; a mended secret shall work at once.
                application.msal = None
        raise _again(outcome)

    def _application(self, credentials: Credentials) -> _Application:
        with self._lock:
            return self._applications.setdefault(credentials, _Application())

    def _fetch(  # noqa: PLR0911 - one table
        self, application: _Application, credentials: Credentials, refused: str | None, claims: str | None
    ) -> str | HaltError | TransientError:
        try:
            token = self._acquire(application, credentials)
            if refused is not None and token == refused:
                if claims is None:
                    application.msal = None  # with its cache, which would give the refused one again
                token = self._acquire(application, credentials, claims)
        except _RefusedError as refusal:
            return refusal.error
        except _InvalidResponseError as error:
            return TransientError(
                Dependency.ENTRA, error.message, retry_after=error.wait, status=error.status
            )
        except _ForeignEndpointError as error:
            return HaltError(Cause.ENTRA_CREDENTIALS, error.message)
        except TRANSPORT_ERRORS as error:
            failure = classify(error)
        except (ValueError, KeyError, RuntimeError, TypeError, AttributeError, msal.exceptions.MsalError):
            return self._complaint(application, credentials)
        else:
            return token
        if failure.category is FailureCategory.ADDRESS:
            detail = Detail(
                DetailKind.ADDRESS_IN_SETTING,
                setting="UPDATE_SYNC_ENTRA_AUTHORITY",
                problem=failure.message,
            )
            return HaltError(Cause.ENTRA_CREDENTIALS, detail)
        return TransientError(Dependency.ENTRA, failure.message, kind=failure.kind)

    def _acquire(self, application: _Application, credentials: Credentials, claims: str | None = None) -> str:
        if application.msal is None:
            application.http = _MsalHttp(self._session, self._authority)
            application.msal = msal.ConfidentialClientApplication(
                credentials.client_id,
                client_credential=credentials.client_secret,
                authority=f"{self._authority}/{credentials.directory}",
                http_client=application.http,
                # The authority comes from our own settings, so Microsoft need not confirm it.
                instance_discovery=False,
            )
        response = application.msal.acquire_token_for_client(self._scopes, claims_challenge=claims)
        token = response.get("access_token") if isinstance(response, dict) else None
        if isinstance(token, str) and token.isascii() and token.isprintable():
            return token
        raise _RefusedError(token_error(response or {}, client_secret=credentials.client_secret))

    @staticmethod
    def _complaint(application: _Application, credentials: Credentials) -> HaltError | TransientError:
        """Tell what msal complained about: a refusal of the directory, or an answer that makes no sense."""
        last = application.http.last if application.http is not None else {}
        if "error" in last:
            return token_error(last, client_secret=credentials.client_secret)
        return TransientError(
            Dependency.ENTRA, Detail(DetailKind.SENSELESS_ANSWER), kind=FailureKind.UNREADABLE
        )


class _RefusedError(Exception):
    def __init__(self, error: HaltError | TransientError) -> None:
        super().__init__()
        self.error = error


def _again(error: HaltError | TransientError) -> HaltError | TransientError:
    """Return a copy, so that threads do not write their tracebacks into one exception."""
    if isinstance(error, HaltError):
        return HaltError(error.cause, error.detail)
    return TransientError(
        error.dependency,
        error.detail,
        retry_after=error.retry_after,
        status=error.status,
        kind=error.kind,
    )
