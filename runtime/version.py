"""The product's version, as dead letters and `--version` show it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

VERSION: Final = version("skolon-update-sync")
