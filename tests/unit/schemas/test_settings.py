"""The environment: read once, checked together, every fault at once, and no value in any of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import pytest
import trustme

from sandbox.certificates import make_certificate
from schemas.crypto.encryption import new_key
from schemas.errors import InvalidSettingsError
from schemas.setting_validators import is_unencrypted
from schemas.settings import Requirement, Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

KEY: Final = new_key()
SECRET: Final = "hemligt-losenord"  # noqa: S105 - made up, opens nothing

COMPLETE: Final = {
    "AMQP_URL": f"amqps://user:{SECRET}@rabbit.example:5671/sync",
    "DATABASE_URL": f"postgresql+psycopg://user:{SECRET}@db.example/sync",
    "SECRET_KEYS": f"{KEY},{new_key()}",
    "SKOLON_SCIM_URL": "https://scim.example/{organisation}/v2",
    "SKOLON_TOKEN": SECRET,
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:

    for name in os.environ:
        if name.startswith("UPDATE_SYNC_"):
            monkeypatch.delenv(name)


def put(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"UPDATE_SYNC_{name}", value)


def faults(*needs: Requirement) -> tuple[str, ...]:
    with pytest.raises(InvalidSettingsError) as caught:
        load_settings(needs)
    assert SECRET not in str(caught.value)
    assert KEY not in str(caught.value)
    return caught.value.faults


def named(lines: tuple[str, ...]) -> set[str]:
    return {line.partition(":")[0].removeprefix("UPDATE_SYNC_") for line in lines}


def test_a_complete_environment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract's variables give settings, with its defaults for the rest."""
    put(monkeypatch, COMPLETE)
    settings = load_settings()
    assert settings.amqp_url == COMPLETE["AMQP_URL"]
    assert settings.secret_keys == tuple(COMPLETE["SECRET_KEYS"].split(","))
    assert settings.skolon_token == SECRET
    assert settings.graph_url == "https://graph.microsoft.com"
    assert settings.entra_authority == "https://login.microsoftonline.com"
    assert (settings.hub_host, settings.hub_port, settings.hub_url) == ("127.0.0.1", 8080, "")
    assert settings.hub_proxies == ("127.0.0.0/8", "::1/128")
    assert (settings.log_format, settings.ca_bundle) == ("console", None)


def test_settings_do_not_show_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """P6: settings that end in a log or a traceback show none of their values."""
    put(monkeypatch, COMPLETE)
    assert repr(load_settings()) == str(load_settings()) == "<Settings>"


def test_a_process_may_need_nothing() -> None:
    """What a process does not need may be missing from its environment."""
    assert isinstance(load_settings(()), Settings)


def test_everything_missing_is_said_at_once() -> None:
    """An empty environment is one refusal that names every variable to set."""
    assert named(faults(*Requirement)) == {
        "DATABASE_URL",
        "AMQP_URL",
        "SECRET_KEYS",
        "SKOLON_SCIM_URL",
        "SKOLON_TOKEN",
    }


@pytest.mark.parametrize(
    ("need", "missing"),
    [
        (Requirement.DATABASE, {"DATABASE_URL"}),
        (Requirement.BROKER, {"AMQP_URL"}),
        (Requirement.KEYS, {"SECRET_KEYS"}),
        (Requirement.SKOLON, {"SKOLON_SCIM_URL", "SKOLON_TOKEN"}),
    ],
)
def test_each_need_has_its_variables(need: Requirement, missing: set[str]) -> None:
    """Each need asks for its own variables and for no others."""
    assert named(faults(need)) == missing


def test_client_credentials_stand_in_for_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skolon is reached with a token, or with an address, an id and a secret to get one by: all three."""
    put(monkeypatch, {"SKOLON_SCIM_URL": COMPLETE["SKOLON_SCIM_URL"], "SKOLON_CLIENT_ID": "app"})
    (fault,) = faults(Requirement.SKOLON)
    assert "(missing: UPDATE_SYNC_SKOLON_TOKEN_URL, UPDATE_SYNC_SKOLON_CLIENT_SECRET)" in fault
    put(monkeypatch, {"SKOLON_TOKEN_URL": "https://idp.example/token", "SKOLON_CLIENT_SECRET": SECRET})
    assert load_settings([Requirement.SKOLON]).skolon_client_secret == SECRET


def test_sign_in_by_entra_needs_a_secret_and_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """An application without its secret, or without the address that Entra sends browsers back to."""
    put(monkeypatch, {"HUB_CLIENT_ID": "app"})
    assert named(faults()) == {"HUB_CLIENT_SECRET", "HUB_URL"}
    put(monkeypatch, {"HUB_CLIENT_SECRET": SECRET, "HUB_URL": "https://hub.example/"})
    assert load_settings(()).hub_url == "https://hub.example"


WRONG: Final = {
    "AMQP_URL": f"http://user:{SECRET}@rabbit.example",
    "DATABASE_URL": f"mysql://user:{SECRET}@db.example",
    "SECRET_KEYS": f"{KEY},{SECRET}",
    "SKOLON_SCIM_URL": "https://scim.example/v2",
    "SKOLON_TOKEN_URL": f"http://idp.example/{SECRET}",
    "GRAPH_URL": f"https://graph.example:{SECRET}",
    "ENTRA_AUTHORITY": f"http://127.0.0.1/{SECRET}",
    "CA_BUNDLE": f"/nowhere/{SECRET}",
    "HUB_PORT": SECRET,
    "HUB_URL": f"https://hub.example/{SECRET}",
    "HUB_ENTRA_AUTHORITY": f"http://127.0.0.1/{SECRET}",
    "HUB_OPERATOR_DIRECTORY": SECRET,
    "HUB_ROLES": f"reader=reader,{SECRET}",
    "HUB_PROXIES": f"10.0.0.0/8,{SECRET}",
    "HUB_SUPPORT": f"support {SECRET}",
    "LOG_FORMAT": SECRET,
}


@pytest.mark.parametrize("name", WRONG)
def test_one_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """P6: a wrong value is refused with its variable's name, needed or not, and is not shown."""
    put(monkeypatch, {**COMPLETE, name: WRONG[name]})
    assert named(faults()) == {name}


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with many faults is refused once, with all of them, what is missing included."""
    put(monkeypatch, WRONG)
    assert named(faults(*Requirement)) == {*WRONG, "SKOLON_TOKEN"}


def test_a_bad_key_is_named_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """P6: of several keys the bad one is named by its place, and neither it nor the good ones are shown."""
    put(monkeypatch, {"SECRET_KEYS": f"{KEY}, {SECRET}"})
    (fault,) = faults()
    assert fault.startswith("UPDATE_SYNC_SECRET_KEYS: Key 2 is no Fernet key")


@pytest.mark.parametrize("port", ["-1", "65536", "80.5", "x"])
def test_a_port_is_a_port(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    """A port is a whole number from 0 to 65535."""
    put(monkeypatch, {"HUB_PORT": port})
    assert named(faults()) == {"HUB_PORT"}


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("http://127.0.0.1:8000/{organisation}", True),
        ("http://localhost/{organisation}", True),
        ("http://[::1]:8000/{organisation}", True),
        ("http://127.0.0.1.example/{organisation}", False),
        ("http://localhost@scim.example/{organisation}", False),
        ("http://10.0.0.1/{organisation}", False),
        ("ftp://127.0.0.1/{organisation}", False),
        ("https:///{organisation}", False),
        ("https://[::1/{organisation}", False),
        ("HTTPS://scim.example/{organisation}", True),
    ],
)
def test_plain_http_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch, url: str, taken: bool) -> None:  # noqa: FBT001 - an expectation
    """P6: personal data travel over https, or to this machine."""
    put(monkeypatch, {"SKOLON_SCIM_URL": url})
    if taken:
        assert load_settings(()).skolon_scim_url == url
    else:
        assert named(faults()) == {"SKOLON_SCIM_URL"}


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("hjalp@skola.example", True),
        ("https://hjalp.example/skolon?lang=sv", True),
        ("hjalp.example", False),
        ("hjalp@skola", False),
        ("Hjälp <hjalp@skola.example>", False),
        ("mailto:hjalp@skola.example", False),
        ("http://hjalp.example", False),
        ("javascript://hjalp.example", False),
    ],
)
def test_help_is_an_address_or_a_page(monkeypatch: pytest.MonkeyPatch, address: str, taken: bool) -> None:  # noqa: FBT001 - an expectation
    """What the Data Hub's pages make a link of leads to a mailbox or over https."""
    put(monkeypatch, {"HUB_SUPPORT": address})
    if taken:
        assert load_settings(()).hub_support == address
    else:
        assert named(faults()) == {"HUB_SUPPORT"}


@pytest.mark.parametrize("name", sorted(COMPLETE))
def test_a_value_may_be_kept_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    """`…_FILE` names a file that holds the value, as container engines hand out secrets."""
    put(monkeypatch, COMPLETE)
    expected = load_settings()
    file = tmp_path / "value"
    file.write_text(f"{COMPLETE[name]}\n")
    monkeypatch.delenv(f"UPDATE_SYNC_{name}")
    monkeypatch.setenv(f"UPDATE_SYNC_{name}_FILE", str(file))
    assert load_settings() == expected


def test_a_blank_value_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set to nothing, as compose files do, is one that is not set."""
    expected = load_settings(())
    put(monkeypatch, dict.fromkeys({*COMPLETE, *WRONG, "HUB_HOST"}, " "))
    assert load_settings(()) == expected
    assert named(faults(*Requirement)) == {
        "DATABASE_URL",
        "AMQP_URL",
        "SECRET_KEYS",
        "SKOLON_SCIM_URL",
        "SKOLON_TOKEN",
    }


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_is_not_there_is_a_fault_among_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    """A file that is missing or no text is named with its variable, together with every other fault."""
    file = tmp_path / "token"
    if content:
        file.write_bytes(content)
    put(monkeypatch, {"HUB_PORT": "x", "SKOLON_TOKEN_FILE": str(file)})
    assert named(faults()) == {"HUB_PORT", "SKOLON_TOKEN_FILE"}


def test_a_bad_value_in_a_file_is_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """P6: a value from a file is checked as any other, and its fault shows nothing of it."""
    file = tmp_path / "keys"
    file.write_text(SECRET)
    put(monkeypatch, {"SECRET_KEYS_FILE": str(file)})
    (fault,) = faults()
    assert "Key 1 is no Fernet key" in fault


REFUSED: Final = [
    ("SKOLON_TOKEN", f"{SECRET}\n{SECRET}", "line break"),
    ("SKOLON_TOKEN", f"{SECRET}\u2028{SECRET}", "line break"),
    ("SKOLON_TOKEN", f"{SECRET} å", "visible ASCII"),
    ("SKOLON_CLIENT_SECRET", f"{SECRET}\x1b[2J", "control character"),
    ("SKOLON_CLIENT_ID", "app\u202e", "cannot be printed"),
    ("SKOLON_SCIM_URL", f"https://user:{SECRET}@scim.example/{{organisation}}", "Names a user"),
    ("SKOLON_SCIM_URL", f"https://scim.example/{{organisation}}#{SECRET}", "fragment"),
    ("SKOLON_SCIM_URL", f"https://scim.example/{{organisation}}?x={SECRET}", "query"),
    ("SKOLON_SCIM_URL", f"https://scim.example/{{organisation}}/{SECRET}/{{organisation}}", "more than once"),
    ("SKOLON_SCIM_URL", "https://scim.example/{organisation}/{tenant}", "braces"),
    ("SKOLON_SCIM_URL", "https://scim.example/a b/{organisation}", "space"),
    ("SKOLON_TOKEN_URL", f"https://{SECRET}@idp.example/token", "Names a user"),
    ("GRAPH_URL", f"https://{SECRET}@graph.example", "Names a user"),
    ("ENTRA_AUTHORITY", f"https://login.example/#{SECRET}", "fragment"),
    ("AMQP_URL", f"amqps://user:{SECRET}#x@rabbit.example", "Not a"),
    ("AMQP_URL", "https://rabbit.example", "starts with amqp:// or amqps://"),
    ("DATABASE_URL", f"postgresql://user:{SECRET}@db.example:port/sync", "Not a valid URL"),
    ("DATABASE_URL", f"postgres://user:{SECRET}@db.example/sync", "starts with postgresql://"),
    # A key is made anew in each process, and pytest-xdist needs the same names in all of them.
    pytest.param("SECRET_KEYS", f"{KEY},{KEY}", "Key 2 is there twice", id="same key twice"),
    ("CA_BUNDLE", "/nowhere/ca.pem", "no such file"),
    ("LOG_FORMAT", "json\x07", "control character"),
]


@pytest.mark.parametrize(("name", "value", "said"), REFUSED)
def test_what_cannot_work_is_refused_when_it_is_read(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """A value that would fail for every user later is refused at once, with its name and not shown."""
    put(monkeypatch, {**COMPLETE, name: value})
    (fault,) = faults(*Requirement)
    assert fault.startswith(f"UPDATE_SYNC_{name}: ")
    assert said in fault


@pytest.mark.parametrize(
    "url", ["postgres://db.example/sync", "garbage", "postgresql://db.example:port/sync"]
)
def test_a_wrong_database_is_named_beside_certificates(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    """What is refused is not looked at any further, whatever else is set."""
    put(
        monkeypatch, {**COMPLETE, "DATABASE_URL": url, "CA_BUNDLE": str(make_certificate(tmp_path).authority)}
    )
    (fault,) = faults(*Requirement)
    assert fault.startswith("UPDATE_SYNC_DATABASE_URL: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "empty"), ("\n \n", "empty"), (f"{SECRET}\n{SECRET}\n", "line break"), ("x" * 70_000, "64 KiB")],
)
def test_a_file_without_a_value_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, said: str
) -> None:
    """A file that holds nothing, several lines, or far too much is named, beside what is missing."""
    file = tmp_path / "token"
    file.write_text(content)
    put(monkeypatch, {"SKOLON_SCIM_URL": COMPLETE["SKOLON_SCIM_URL"], "SKOLON_TOKEN_FILE": str(file)})
    token, keys = sorted(faults(Requirement.SKOLON, Requirement.KEYS), reverse=True)
    assert token.startswith("UPDATE_SYNC_SKOLON_TOKEN")
    assert said in token
    assert keys == "UPDATE_SYNC_SECRET_KEYS: is not set"


def test_white_space_around_a_value_is_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line break behind a value, as a command in a shell script leaves it, is not a part of it."""
    put(monkeypatch, {name: f" {value}\n" for name, value in COMPLETE.items()})
    assert load_settings().skolon_token == SECRET


@pytest.mark.parametrize(
    ("content", "said"), [(None, "no such file"), ("", "no certificate"), ("made up", "no certificate")]
)
def test_a_bundle_holds_certificates(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, said: str
) -> None:
    """A file of authorities that is missing, or holds none, is told at start."""
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_text(content)
    put(monkeypatch, {"CA_BUNDLE": str(file)})
    (fault,) = faults()
    assert said in fault


@pytest.mark.parametrize(
    ("url", "filled"),
    [
        ("postgresql://db.example/sync?sslmode=verify-full", True),
        ("postgresql://db.example/sync?sslmode=verify-ca&application_name=x", True),
        ("postgresql+psycopg://db.example/sync?sslmode=verify-full", True),
        ("postgresql://db.example/sync?sslmode=verify-full&sslrootcert=/own.pem", False),
        ("postgresql://db.example/sync?sslmode=require", False),
        ("postgresql://db.example/sync", False),
        ("sqlite:////tmp/sync?sslmode=verify-full", False),
    ],
)
def test_postgresql_trusts_the_bundle_where_it_asks_for_trust(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, url: str, filled: bool
) -> None:
    """`sslrootcert` is filled in where `sslmode` verifies and no other file is named."""
    file = tmp_path / "authorities å.pem"
    trustme.CA().cert_pem.write_to_path(file)
    put(monkeypatch, {"DATABASE_URL": url, "CA_BUNDLE": str(file)})
    added = f"&{urlencode({'sslrootcert': file})}" if filled else ""
    assert load_settings(()).database_url == url + added


@pytest.mark.parametrize(
    ("address", "clear"),
    [
        ("amqp://u:p@rabbit.example/sync", True),
        ("amqp://u:p@127.0.0.1:5672", False),
        ("amqp://u:p@localhost", False),
        ("amqps://u:p@rabbit.example/sync", False),
        ("postgresql://u:p@db.example/sync?sslmode=disable", True),
        ("postgresql+psycopg://u:p@db.example/sync?sslmode=disable", True),
        ("postgresql://u:p@localhost/sync?sslmode=disable", False),
        ("postgresql://u:p@db.example/sync", False),
        ("postgresql:///sync?sslmode=disable", False),
        ("sqlite:////var/lib/sync.sqlite", False),
    ],
)
def test_what_goes_over_the_network_in_the_clear_is_known(address: str, clear: bool) -> None:  # noqa: FBT001 - an expectation
    """A broker without TLS on another machine, and a database that is told to use none, are warned of."""
    assert is_unencrypted(address) is clear
