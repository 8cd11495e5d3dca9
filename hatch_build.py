"""Compiles the pages' translations when the product is built or installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileTranslations(BuildHookInterface):  # type: ignore[type-arg] # the builder's settings are not used
    """Writes a catalogue that Flask-Babel reads beside each one that people write."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's form
        """Compile each catalogue."""
        for written in sorted((Path(self.root) / "hub" / "translations").rglob("*.po")):
            with written.open("rb") as source, written.with_suffix(".mo").open("wb") as compiled:
                # The folders are those that Babel looks in: language, category, catalogue.
                write_mo(compiled, read_po(source, locale=written.parents[1].name))
