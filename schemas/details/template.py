"""A kind's sentence in each language, as a template.

It names parameters in braces. After a colon it says how one is shown:

- `{facts:list}`: words and details with commas between them; without it details have semicolons;
- `{attributes:title}`: the names of attributes as they stand on pages, with "and" before the last one;
- `{attributes:name}`: the same as they stand within a sentence, which Swedish writes with small letters;
- `{limit:guard}`: what the guard counts users for;
- `{country:country}`: the name of a country;
- `{agrees:agreeing}`, `{differs:differing}`: what two users are compared by, or that it is nothing;
- `{users:# user keeps|# users keep}`: the first form for one, the second otherwise. `#` is the number, and of
  a list its length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from string import Formatter
from typing import Final

from schemas.reports.remedy import Language

LIST: Final = "list"
TITLE: Final = "title"
NAME: Final = "name"
GUARD: Final = "guard"
COUNTRY: Final = "country"
AGREEING: Final = "agreeing"
DIFFERING: Final = "differing"


@dataclass(frozen=True)
class Template:
    """The sentence in Swedish and in English: without a full stop, for it may stand in another one."""

    swedish: str
    english: str

    def in_language(self, language: Language) -> str:
        """Return the template of a language."""
        return self.swedish if language is Language.SWEDISH else self.english


@dataclass(frozen=True)
class Segment:
    """A piece of a template: words, and behind them a parameter and how it is shown, if there is one."""

    words: str
    parameter: str | None
    form: str


@lru_cache(maxsize=1024)
def segments(template: str) -> tuple[Segment, ...]:
    """Return the pieces of a template."""
    return tuple(Segment(words, name, form or "") for words, name, form, _ in Formatter().parse(template))
