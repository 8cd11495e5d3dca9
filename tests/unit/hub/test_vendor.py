"""The files that others wrote: pinned by hash, licensed, and all that a page loads."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import hub

STATIC = Path(hub.__file__).parent / "static"
PINNED = json.loads((STATIC / "vendor" / "pinned.json").read_text(encoding="utf-8"))


def test_each_file_is_the_one_that_is_pinned() -> None:
    """Every file has the hash of the published package's, its version and its licence's text."""
    files = {path.name for path in (STATIC / "vendor").iterdir() if path.is_file()} - {"pinned.json"}
    assert {each["file"] for each in PINNED} == files
    for each in PINNED:
        content = (STATIC / "vendor" / each["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == each["sha256"], each["file"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", each["version"])
        assert (STATIC / "vendor" / each["licence_text"]).read_text(encoding="utf-8").strip()


def test_nothing_is_fetched_from_elsewhere() -> None:
    """Style sheets and templates name no other host; what a page needs is installed with it."""
    texts = [*STATIC.rglob("*.css"), *(STATIC.parent / "templates").glob("*.html")]
    for path in texts:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(?:url\(|src=|href=|@import)\s*[\"']?(?:https?:)?//", text), path


def test_the_notices_name_each_package() -> None:
    """THIRD-PARTY-NOTICES.md lists what came from npm too."""
    notices = (STATIC.parents[1] / "THIRD-PARTY-NOTICES.md").read_text(encoding="utf-8")
    for each in PINNED:
        assert f"| {each['package']} | {each['version']} | {each['licence']} |" in notices
