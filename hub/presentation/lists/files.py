"""Lists as CSV files (RFC 4180) that a spreadsheet opens, and takes no cell for a formula."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from flask import Response, stream_with_context

from hub.language import current_language
from schemas.reports.remedy import Language

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: A spreadsheet calculates what begins with one of these (OWASP, CSV injection).
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")

#: Excel expects the separator of lists of the user's language.
_DELIMITERS: Final = {Language.SWEDISH: ";", Language.ENGLISH: ","}

#: It tells Excel that the file is UTF-8.
_BYTE_ORDER_MARK: Final = "\ufeff"


def csv_file(name: str, headings: Sequence[object], rows: Iterable[Sequence[object]]) -> Response:
    """Return a list as a file, row by row; `name` has letters, digits and hyphens alone."""
    lines = _lines(headings, rows, _DELIMITERS[current_language()])
    answer = Response(stream_with_context(lines), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def csv_text(headings: Sequence[object], rows: Iterable[Sequence[object]], language: Language) -> str:
    """Return a list as the text of a file."""
    return "".join(_lines(headings, rows, _DELIMITERS[language]))


def safe_cell(value: object) -> str:
    """Return a value as a cell: nothing for None, and a text where it would be a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _lines(headings: Sequence[object], rows: Iterable[Sequence[object]], delimiter: str) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    buffer.write(_BYTE_ORDER_MARK)
    writer.writerow([safe_cell(each) for each in headings])
    for row in rows:
        writer.writerow([safe_cell(each) for each in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    # What is left is the headings of a list without rows.
    yield buffer.getvalue()
