"""The version of the Update Sync, as it is written into dead letters and answers to `--version`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

VERSION: Final = version("skolon-update-sync")
