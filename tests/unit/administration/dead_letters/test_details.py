"""Dead letters in full."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from administration.dead_letters.details import printable_text


@given(st.binary(max_size=60))
def test_the_text_of_any_bytes_is_harmless(body: bytes) -> None:
    """P6: foreign bytes shown as text contain nothing that a terminal would obey."""
    assert re.fullmatch(r"[^\x00-\x1f\x7f-\x9f]*", printable_text(body))
