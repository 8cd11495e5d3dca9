"""Tokens for Microsoft Graph, by msal: one application per tenant and process, one request at a time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

import msal
from cachetools import LRUCache

from clients.entra.errors import token_error
from clients.entra.msal_http import ForeignEndpointError, InvalidResponseError, MsalHttp
from clients.http.errors import TRANSPORT_ERRORS, FailureCategory, classify
from clients.turns import Turn
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import Dependency, FailureKind, HaltError, TransientError
from schemas.outcomes import Cause
from schemas.tenants.credentials.client_certificate import is_certificate

if TYPE_CHECKING:
    from collections.abc import Callable

    from clients.http.session import HttpSession
    from schemas.tenants.tenant import Credentials

#: Tenants whose application is kept; the one that was not used for longest goes first (promise P10).
CAPACITY: Final = 500


class _Application:
    """One msal application; `turn` is taken around every use."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.turn = Turn(clock)
        self.msal: Any = None
        self.http: MsalHttp | None = None


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
        missing = _missing(credentials)
        if missing is not None:
            raise HaltError(Cause.ENTRA_CREDENTIALS, Detail(missing))
        application = self._application(credentials)
        with application.turn.taken():
            outcome = self._fetch(application, credentials, refused, claims)
            if isinstance(outcome, str):
                return outcome
            if isinstance(outcome, HaltError):
                # msal remembers a refusal for a minute; a mended secret shall work at once.
                application.msal = None
            raise outcome

    def forget(self, credentials: Credentials) -> None:
        """Have the next token fetched anew: one at hand has the rights of the time when it was given."""
        with self._lock:
            self._applications.pop(credentials, None)

    def _application(self, credentials: Credentials) -> _Application:
        with self._lock:
            return self._applications.setdefault(credentials, _Application(self._clock))

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
        except InvalidResponseError as error:
            return TransientError(
                Dependency.ENTRA, error.message, retry_after=error.wait, status=error.status
            )
        except ForeignEndpointError as error:
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
            application.http = MsalHttp(self._session, self._authority)
            application.msal = msal.ConfidentialClientApplication(
                credentials.client_id,
                client_credential=_credential(credentials.client_secret),
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


def _credential(secret: str) -> str | dict[str, str]:
    """Return a client secret, or a certificate with its key, as msal takes it.

    Without a thumbprint msal computes one by SHA-256, and signs with PS256.
    """
    return {"private_key": secret, "public_certificate": secret} if is_certificate(secret) else secret


def _missing(credentials: Credentials) -> DetailKind | None:
    """Return what is not set up yet, None if all is there."""
    if not credentials.directory:
        return DetailKind.NO_SUCH_DIRECTORY
    if not credentials.client_id:
        return DetailKind.UNKNOWN_APPLICATION
    return None if credentials.client_secret else DetailKind.SECRET_MISSING
