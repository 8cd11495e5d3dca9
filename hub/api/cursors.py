"""Cursors: where the next page of a list begins. Their content is the API's own business."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from marshmallow import ValidationError, fields

from schemas.messages.messages import MAX_RUN_ID
from schemas.users.graph_user import is_entra_id


def encode_cursor(last: str) -> str:
    """Return the cursor of the page that begins behind an id."""
    return base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")


class Cursor(fields.String):
    """A cursor of an earlier answer, loaded as the id that the page begins behind."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        try:
            last = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
        except (binascii.Error, ValueError):
            raise ValidationError("Not a cursor of an earlier answer.") from None
        if not self.is_id(last) or encode_cursor(last) != text:
            raise ValidationError("Not a cursor of an earlier answer.")
        return last

    def is_id(self, last: str) -> bool:
        """Say whether a cursor's content can be the id of a user."""
        return is_entra_id(last)


class RunCursor(Cursor):
    """A cursor of a list of runs."""

    def is_id(self, last: str) -> bool:
        """Say whether a cursor's content can be the number of a run."""
        is_number = last.isascii() and last.isdigit() and len(last) <= len(str(MAX_RUN_ID))
        return is_number and 0 < int(last) <= MAX_RUN_ID
