"""Lets in the caller that has the token."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def bearer(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def middleware(request: Any) -> Any:
        is_known = request.headers.get("Authorization") == f"Bearer {os.environ['TOKEN']}"
        request.user = SimpleNamespace(is_anonymous=not is_known, is_authenticated=is_known)
        return get_response(request)

    return middleware
