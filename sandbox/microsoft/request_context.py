"""One call of Graph on its way through the stand-in: the request and what was found out about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.microsoft.http_messages import GRAPH_JSON, GraphError, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sandbox.microsoft.apps import App
    from sandbox.microsoft.directory import Directory
    from sandbox.microsoft.faults import Effect, Fault
    from sandbox.microsoft.http_messages import Kind, Request


@dataclass(frozen=True, kw_only=True)
class RequestContext:
    """A call by an app that has shown a good token. ``faults`` are those that strike it."""

    request: Request
    kind: Kind
    app: App
    directory: Directory
    query: Mapping[str, str]
    faults: tuple[Fault, ...]
    now: float

    def has_fault(self, effect: Effect) -> Fault | None:
        """Return the fault of that effect that strikes this context, if any."""
        return next((fault for fault in self.faults if fault.effect is effect), None)

    def allow_options(self, names: Collection[str]) -> None:
        """Raise GraphError 400 for a query option that is not among those names."""
        for name in self.query:
            if name.startswith("$") and name not in names:
                raise GraphError(
                    400, "Request_UnsupportedQuery", f"The query option '{name}' is not supported."
                )

    def respond(self, context: str, value: Mapping[str, Any]) -> Response:
        """Answer with Graph's JSON; ``context`` is what stands behind ``$metadata#``."""
        body = {"@odata.context": f"{self.request.base_url}/v1.0/$metadata#{context}", **value}
        return json_response(body, media_type=GRAPH_JSON)


def expired_page_token(code: str | None) -> GraphError:
    """Return the refusal of a page token that is too old, in either of its two spellings."""
    return GraphError(
        400,
        code or "Directory_ExpiredPageToken",
        "The specified page token value has expired and can no longer be used.",
    )
