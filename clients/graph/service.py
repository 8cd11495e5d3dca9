"""The sessions to Microsoft Graph and Entra, which the clients of all tenants share."""

from __future__ import annotations

from urllib.parse import urlsplit

from clients.entra.tokens import EntraTokens
from clients.graph.batch import read_only_batches
from clients.http.limits import GRAPH_LIMITS, TOKEN_LIMITS
from clients.http.session import REQUEST_TIMEOUT, HttpSession
from runtime.services import NO_BREAKER, Breakers


class GraphService:
    """The sessions to one Graph and Entra, which all tenants' clients share; may be shared by threads."""

    def __init__(
        self,
        *,
        url: str,
        authority: str,
        ca_bundle: str | None = None,
        breakers: Breakers = NO_BREAKER,
        seconds: float = REQUEST_TIMEOUT,
    ) -> None:
        """Take the addresses of Graph (with or without `/v1.0`) and Entra, and the circuit breakers.

        A request ends after `seconds`.
        """
        self.url = url.rstrip("/").removesuffix("/v1.0").rstrip("/")
        self.batch_url = f"{self.url}/v1.0/$batch"
        self.session = HttpSession(
            methods={"GET"},
            also_allow=read_only_batches(self.batch_url),
            origin=self.url,
            ca_bundle=ca_bundle,
            limits=GRAPH_LIMITS,
            seconds=seconds,
        )
        parts = urlsplit(self.url)
        self.tokens = EntraTokens(
            HttpSession(
                methods={"GET", "POST"},
                origin=authority,
                ca_bundle=ca_bundle,
                limits=TOKEN_LIMITS,
                seconds=seconds,
            ),
            authority=authority,
            scope=f"{parts.scheme}://{parts.netloc}/.default",
        )
        self.breakers = breakers
