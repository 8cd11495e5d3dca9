"""`make services`: what it prints on standard output is pasted into a shell, so nothing else stands there."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.unit.packaging.test_layout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_PYTHON = """#!/bin/sh
case "$*" in *devtools.services*) echo "export A='b'" ;; esac
"""


_OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")


def test_an_installation_is_not_told_among_what_is_pasted(tmp_path: Path) -> None:
    """The first `make services` installs: it says so on standard error."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements/product.txt", "requirements/dev.txt", "pyproject.toml", "hatch_build.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(_PYTHON, encoding="utf-8")
    python.chmod(0o755)

    make = shutil.which("make") or "make"
    # As a person calls it: `make test` tells the commands below it that they are another make's.
    env = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}
    made = subprocess.run(  # noqa: S603 - the copy above
        [make, "services"], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )

    assert made.stdout == "export A='b'\n"
    assert made.stderr.count("Installing") == 2
