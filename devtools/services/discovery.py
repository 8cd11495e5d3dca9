"""Where a server for the tests comes from: given, installed, or installed now."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from devtools.services.packages import install
from devtools.services.process import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

Binaries = TypeVar("Binaries")


@dataclass(frozen=True, kw_only=True)
class Requirement(Generic[Binaries]):
    """A server that tests need: the variable that names a given one, how to find it, what to install.

    `locate` returns the installed binaries, or None; what it finds too old it raises Unavailable about.
    """

    name: str
    variable: str
    packages: tuple[str, ...]
    locate: Callable[[], Binaries | None]

    def given(self) -> str | None:
        """Return the address of a server that the environment names, or None."""
        return os.environ.get(self.variable) or None

    def binaries(self) -> Binaries:
        """Return the binaries; install them first where it must and may, else raise Unavailable."""
        found = self.locate()
        if found is None:
            try:
                install(self.packages)
            except Unavailable as error:
                raise Unavailable(f"{self.name}: {error}; or set {self.variable}") from None
            found = self.locate()
        if found is None:
            raise Unavailable(
                f"{self.name}: {' '.join(self.packages)} is installed, but not where it belongs"
            )
        return found
