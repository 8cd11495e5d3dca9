""".ci/make-venv, which `make` asks whether .venv is of the Python that PYTHON names."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / ".ci/make-venv"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "venv"
    venv.create(made, symlinks=True)
    return made


def fits(directory: Path, python: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script, no shell
        [SCRIPT, "--fits", directory],
        env={**os.environ, "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_venv_of_the_same_python_is_kept(directory: Path) -> None:
    """PYTHON that names the one it was made with changes nothing, also from inside a virtual environment."""
    assert fits(directory, sys.executable).returncode == 0
    assert directory.is_dir()


def test_a_venv_of_another_python_is_removed(directory: Path, tmp_path: Path) -> None:
    """PYTHON that names another one has it made again, and says so."""
    other = tmp_path / "python4"
    other.write_text('#!/bin/sh\necho "Python 4.0 of /opt"\n')
    other.chmod(0o755)

    done = fits(directory, str(other))

    assert done.returncode == 0
    assert "it is made again with Python 4.0 of /opt" in done.stderr
    assert not directory.exists()


def test_a_python_that_is_none_is_refused(directory: Path) -> None:
    """PYTHON that does not work is complained about, and the environment stays."""
    done = fits(directory, "python-of-nowhere")

    assert done.returncode == 1
    assert "python-of-nowhere" in done.stderr
    assert directory.is_dir()
