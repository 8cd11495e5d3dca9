"""A Chromium for the tests of pages: the one that the environment names, or Debian's."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from devtools.services.discovery import Requirement
from devtools.services.process import Unavailable

#: A container is no place for Chromium's own sandbox, and nothing is fetched from elsewhere.
ARGUMENTS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _locate() -> Path | None:
    """Find Debian's or Ubuntu's program."""
    found = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    return None if found is None else Path(found)


REQUIREMENT = Requirement(
    name="Chromium",
    variable="UPDATE_SYNC_TEST_CHROMIUM",
    # Without a font, there would be no text to look at.
    packages=("chromium", "fonts-dejavu-core"),
    locate=_locate,
)


def find() -> Path:
    """Return the given program, else the installed one; raise Unavailable with the reason."""
    given = REQUIREMENT.given()
    if given is None:
        return REQUIREMENT.binaries()
    if not Path(given).is_file():
        raise Unavailable(f"Chromium: there is no program at {given}, which {REQUIREMENT.variable} names")
    return Path(given)
