"""Reads settings from files and from standard input."""

from __future__ import annotations

import codecs
import json
import sys
from pathlib import Path
from typing import Any, Final

from schemas.errors import UsageError

#: Stands for standard input.
STDIN: Final = "-"

#: Bytes of a file of settings, and levels of JSON in it: a tenant has a few KiB, and four levels.
LARGEST_FILE: Final = 1024 * 1024
DEEPEST_JSON: Final = 20


def read_object(path: str) -> dict[str, Any]:
    """Return the JSON object in a file (- is standard input); raise `UsageError` if there is none."""
    try:
        value = json.loads(read_text(path))
    except RecursionError:
        raise _too_deep(path) from None
    except ValueError as error:
        # The text itself may hold the secret; a position does not.
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"{path} is not valid JSON{place}.") from None
    if not isinstance(value, dict):
        raise UsageError(f"{path} is not a JSON object.")
    if _depth(value) > DEEPEST_JSON:
        raise _too_deep(path)
    return value


def _too_deep(path: str) -> UsageError:
    return UsageError(f"{path} is nested deeper than {DEEPEST_JSON} levels: no tenant's settings.")


def _depth(value: object) -> int:
    """Return how deep objects and lists are nested."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth


def read_text(path: str) -> str:
    """Return the text of a file or of standard input; reads no more than the limit."""
    try:
        if path == STDIN:
            content = sys.stdin.buffer.read(LARGEST_FILE + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise UsageError(f"{path} is larger than {LARGEST_FILE // 1024} KiB: no tenant's settings.")
        return _decoded(content)
    except UnicodeError:
        raise UsageError(f"{path} is no text in UTF-8 or UTF-16: save it as UTF-8.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from None


def _decoded(content: bytes) -> str:
    """Return a text without its byte order mark: Windows' editors put one in front, and may write UTF-16."""
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if is_utf16 else "utf-8-sig")
