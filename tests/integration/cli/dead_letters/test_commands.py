"""`update-sync dead-letters` list, show, export, discard: what is said, hidden and taken away."""

from __future__ import annotations

import base64
import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync
from schemas.crypto.encryption import new_key
from schemas.dead_letter_reasons import Reason
from schemas.messages.messages import TENANT_SYNC_QUEUE, USER_SYNC_QUEUE
from schemas.outcomes import Outcome, Stage, Status
from schemas.runs.sync_result import Failure
from tests.integration.cli.command_line import (
    run_on_terminal,
)
from tests.integration.cli.dead_letters.factories import (
    AMBIGUOUS,
    VALUE,
    WRONG,
    DeadLetterSeeder,
    seeded_dead_letters,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What a command prints that found nothing to do.
NOTHING: dict[str, object] = {"operation": None, "counts": {}}

GARBAGE = "Åsa \x1b[31m ".encode() + b"\xff\x00" + b"x" * 300
STRANGER = json.dumps(
    {"queue_name": "tenant-sync", "actor_name": "nobody", "args": [], "kwargs": {}, "options": {}}
).encode()


@pytest.fixture
def dead_letters(env: dict[str, str]) -> Iterator[DeadLetterSeeder]:
    with seeded_dead_letters(env, "exempel") as dead_letters:
        yield dead_letters


@pytest.fixture
def run(dead_letters: DeadLetterSeeder) -> int:
    """Have a complete run of five dead letters, three of one kind and two of another."""
    run = dead_letters.run(["u1", "u2", "u3", "u4", "u5"])
    dead_letters.kill(run, ["u1", "u2"], WRONG, hours_ago=50)
    dead_letters.kill(run, ["u3", "u4"], AMBIGUOUS, hours_ago=2)
    dead_letters.kill(run, ["u5"], WRONG)
    return run


@pytest.mark.usefixtures("run")
def test_letters_are_counted_by_kind(env: dict[str, str]) -> None:
    """P9: how many, since when, whose turn it is and what to do, in both languages."""
    listed = json_output("dead-letters", "list", env=env)
    assert listed["dead_letters"] == 5
    kinds = {group["reason"]: group for group in listed["groups"]}
    assert {reason: group["dead_letters"] for reason, group in kinds.items()} == {
        "invalid_user": 3,
        "ambiguous_match": 2,
    }
    group = kinds["invalid_user"]
    assert (group["queue"], group["tenant"], group["owner"]) == (USER_SYNC_QUEUE, "exempel", "entra")
    assert group["oldest"] < group["newest"]
    assert all(group["explanation"][language]["fix"] for language in ("sv", "en"))
    plain = update_sync("dead-letters", "list", env=env)
    assert plain.returncode == 0
    assert "user-sync\texempel\tinvalid_user\t3\t2 d 2 h" in plain.stdout
    assert plain.stdout.count("  sv  ") == plain.stdout.count("  en  ") == 2


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("options", "users"),
    [
        ((), "u1 u2 u3 u4 u5"),
        (("--tenant", "exempel"), "u1 u2 u3 u4 u5"),
        (("--run", "1", "--reason", "ambiguous_match"), "u3 u4"),
        (("--reason", "ambiguous_match", "--reason", "invalid_user"), "u1 u2 u3 u4 u5"),
        (("--user", "u2", "--user", "u4"), "u2 u4"),
        (("--older-than", "2d"), "u1 u2"),
        (("--newer-than", "3h"), "u3 u4 u5"),
        (("--older-than", "60m", "--newer-than", "1w", "--reason", "ambiguous_match"), "u3 u4"),
        (("--queue", "tenant-sync"), ""),
        (("--limit", "2"), "u1 u2"),
    ],
)
def test_letters_are_chosen(env: dict[str, str], options: tuple[str, ...], users: str) -> None:
    """Tenant, run, reason, user, age, queue and number choose letters, the oldest first."""
    listed = json_output("dead-letters", "list", "--ungrouped", *options, env=env)
    assert [dead_letter["user"] for dead_letter in listed] == users.split()
    counted = json_output("dead-letters", "list", *options, env=env)
    assert counted["dead_letters"] == len(users.split())


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tenant", "nowhere"), "There is no tenant 'nowhere'"),
        (("--run", "2"), "There is no run 2"),
        (("--user", "u9"), "No run knows a user u9"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        ("list",),
        ("list", "--users"),
        ("list", "--ungrouped"),
        ("show",),
        ("replay", "--yes"),
        ("discard", "--yes"),
    ],
)
def test_what_does_not_exist_is_no_empty_answer(
    env: dict[str, str], command: tuple[str, ...], options: tuple[str, ...], said: str
) -> None:
    """A mistyped tenant, run or user is wrong use, as text and as JSON."""
    for more in ((), ("--json",)):
        done = update_sync("dead-letters", *command, *options, *more, env=env)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr


def test_the_users_that_failed_last_night(
    env: dict[str, str], dead_letters: DeadLetterSeeder, run: int
) -> None:
    """P9: each once, with the newest reason, who must act, and what to do; other messages are left out."""
    dead_letters.put(USER_SYNC_QUEUE, GARBAGE)
    found = json_output("dead-letters", "list", "--users", env=env)
    assert found["count"] == 5
    by_user = {each["user"]: each for each in found["users"]}
    assert {user: each["reason"] for user, each in by_user.items()} == {
        "u1": "invalid_user",
        "u2": "invalid_user",
        "u3": "ambiguous_match",
        "u4": "ambiguous_match",
        "u5": "invalid_user",
    }
    assert (by_user["u1"]["run"], by_user["u1"]["owner"]) == (str(run), "entra")
    plain = update_sync("dead-letters", "list", "--users", env=env).stdout
    assert "exempel\tu3\tambiguous_match\tadministrator\t" in plain
    assert plain.count("(who must act: entra)") == plain.count("(who must act: administrator)") == 1
    assert "Correct the field" in plain
    some = update_sync("dead-letters", "list", "--users", "--limit", "2", env=env).stdout
    assert "… and 3 more; --limit shows them." in some
    assert update_sync("dead-letters", "list", "--users", "--ungrouped", env=env).returncode == 2


def test_since_when_a_user_fails_is_asked_of_all_runs(
    env: dict[str, str], dead_letters: DeadLetterSeeder
) -> None:
    """Each run replaces the dead letter of the one before, and every command tells the same first day."""
    suspicious = Failure(
        reason=Reason.SUSPICIOUS_MATCH, stage=Stage.MATCH, detail="Skolon user s1", candidates=("s1",)
    )
    first = dead_letters.run(["u1"], event="first")
    dead_letters.kill(first, ["u1"], hours_ago=50)
    second = dead_letters.run(["u1", "u2"], event="second")
    dead_letters.kill(second, ["u1", "u2"], suspicious)

    def shown(*command: str) -> dict[str, Any]:
        return dict(json_output(*command, env=env))

    (user,) = shown("users", "show", "exempel", "u1", "--recorded")["users"]
    listed = {each["user"]: each["since"] for each in shown("dead-letters", "list", "--users")["users"]}
    assert listed["u1"] == user["since"] < listed["u2"]
    (group,) = shown("dead-letters", "list")["groups"]
    assert (group["oldest"], group["newest"]) == (listed["u1"], listed["u2"])
    pending = {each["user"]: each["since"] for each in shown("matches", "list", "exempel")["pending"]}
    assert pending == listed
    for command in (("show",), ("list", "--ungrouped")):
        found = json_output("dead-letters", *command, "--user", "u1", env=env)
        assert [each["dead_since"] for each in found] == [user["since"]]


def test_one_letter_is_chosen_by_its_id(
    env: dict[str, str], dead_letters: DeadLetterSeeder, run: int
) -> None:
    """Each letter has an id that names it, also bytes that are no message."""
    dead_letters.put(USER_SYNC_QUEUE, GARBAGE)
    for dead_letter in json_output("dead-letters", "list", "--ungrouped", env=env):
        chosen = json_output("dead-letters", "list", "--ungrouped", "--id", dead_letter["id"], env=env)
        assert chosen == [dead_letter]
    assert run


def test_a_letter_is_shown_without_values(
    env: dict[str, str], dead_letters: DeadLetterSeeder, run: int
) -> None:
    """P6, P9: who, which run, why, since when, what to do; the payload's names, and none of its values."""
    (shown,) = json_output("dead-letters", "show", "--user", "u3", env=env)
    assert (shown["run"], shown["user"], shown["reason"], shown["stage"]) == (
        str(run),
        "u3",
        "ambiguous_match",
        "match",
    )
    assert shown["payload"]["properties"] == {"city": "•••", "id": "•••", "mail": None}
    assert shown["result"]["outcome"] == "dead_lettered"
    assert shown["body"] is None
    plain = update_sync("dead-letters", "show", env=env).stdout
    assert plain.count("fix (sv)") == 5
    assert "city •••, id •••, mail (blank)" in plain
    other_key = {**env, "UPDATE_SYNC_SECRET_KEYS": new_key()}
    assert (
        json_output("dead-letters", "show", "--user", "u3", env=other_key)[0]["payload"]["properties"] is None
    )
    keyless = {name: value for name, value in env.items() if name != "UPDATE_SYNC_SECRET_KEYS"}
    (without_key,) = json_output("dead-letters", "show", "--user", "u3", env=keyless)
    assert without_key["payload"]["encrypted_bytes"] > 0
    assert VALUE not in plain + json.dumps(shown)
    assert len(dead_letters.bodies()) == 5


def test_bytes_are_shown_harmlessly(env: dict[str, str], dead_letters: DeadLetterSeeder) -> None:
    """What is no message is shown as text and hex, cut unless asked for, with no control characters."""
    dead_letters.put(USER_SYNC_QUEUE, GARBAGE)
    dead_letters.put(TENANT_SYNC_QUEUE, STRANGER)
    garbage, stranger = sorted(json_output("dead-letters", "show", env=env), key=lambda one: one["queue"])[
        ::-1
    ]
    assert (garbage["reason"], stranger["reason"]) == ("undecodable", "undecodable")
    assert "the actor nobody" in stranger["detail"]
    assert garbage["body"]["hex"] == GARBAGE[:256].hex()
    assert garbage["body"]["cut"]
    assert stranger["body"]["text"] == STRANGER.decode()
    plain = update_sync("dead-letters", "show", "--queue", "user-sync", env=env).stdout
    assert "Åsa  [31m" in plain
    assert "c3 85 73 61" in plain
    assert f"{len(GARBAGE) - 256} bytes more" in plain
    assert "\x1b" not in plain
    whole = update_sync("dead-letters", "show", "--queue", "user-sync", "--all-bytes", env=env).stdout
    assert whole.count("78 78 78") > plain.count("78 78 78")


def test_letters_are_exported_whole(
    env: dict[str, str], dead_letters: DeadLetterSeeder, run: int, tmp_path: Path
) -> None:
    """An export holds the very bytes and our reading of them; the letters stay, and payloads sealed."""
    dead_letters.put(USER_SYNC_QUEUE, GARBAGE)
    target = tmp_path / "letters.jsonl"
    done = update_sync("dead-letters", "export", "--to", str(target), env=env)
    assert done.returncode == 0
    # It holds whatever strangers have put into a queue: whatever the umask, nobody else reads it.
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    target.chmod(0o644)
    refused = update_sync("dead-letters", "export", "--to", str(target), env=env)
    assert refused.returncode == 2
    assert f"There is a file {target} already" in refused.stderr
    assert target.stat().st_size > 0
    again = update_sync("dead-letters", "export", "--to", str(target), "--force", env=env)
    assert f"chmod 600 {target}" in again.stderr
    text = target.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [base64.b64decode(line["body"]) for line in lines] == dead_letters.bodies()
    assert [line["run"] for line in lines] == [*[str(run)] * 5, None]
    assert VALUE not in text
    piped = update_sync("dead-letters", "export", "--to", "-", "--limit", "2", env=env)
    first = [json.loads(line) for line in piped.stdout.splitlines()]
    assert [line["body"] for line in first] == [line["body"] for line in lines[:2]]


def test_exactly_what_was_meant_is_discarded(
    env: dict[str, str], dead_letters: DeadLetterSeeder, run: int
) -> None:
    """The others stay in their order, receipts keep their outcome, and it is kept who did what."""
    done = json_output(
        "dead-letters", "discard", "--reason", "invalid_user", "--limit", "2", "--yes", env=env
    )
    assert dead_letters.users() == ["u3", "u4", "u5"]
    assert dead_letters.outcomes(run) == {"dead_lettered": 5}
    assert (done["kind"], done["status"]) == ("discard", "completed")
    assert done["counts"] == {"exempel invalid_user": 2}
    assert done["selection"] == {"reasons": ["invalid_user"], "dead_letters": 2}
    kept = dead_letters.store.operations.get(int(done["operation"]))
    assert kept.as_json() == done
    assert kept.operator


@pytest.mark.usefixtures("run")
def test_discarding_asks_on_a_terminal(env: dict[str, str], dead_letters: DeadLetterSeeder) -> None:
    """It says what it would do, and does nothing unless it is told to."""
    code, seen = run_on_terminal("dead-letters", "discard", env=env, typed={"for good?": "n\n"})
    assert code == 1
    assert "exempel invalid_user" in seen
    assert "Nothing has been done." in seen
    assert len(dead_letters.users()) == 5
    code, seen = run_on_terminal(
        "dead-letters", "discard", "--user", "u1", env=env, typed={"for good?": "y\n"}
    )
    assert (code, dead_letters.users()) == (0, ["u2", "u3", "u4", "u5"])


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    "arguments",
    [
        ("discard",),
        ("list", "--older-than", "yesterday"),
        ("list", "--reason", "boredom"),
        ("show", "--limit", "0"),
        ("replay", "--yes", "--rate", "0"),
        ("replay", "--yes", "--max-failed", "1.5"),
        ("replay", "--yes", "--tenant", "exempell"),
        ("replay", "--tenant", "exempell", "--dry-run"),
        ("export",),
    ],
)
def test_wrong_use_is_said(
    env: dict[str, str], dead_letters: DeadLetterSeeder, arguments: tuple[str, ...]
) -> None:
    """Discarding without a terminal, and an invalid filter, end with 2 and change nothing."""
    done = update_sync("dead-letters", *arguments, env=env)
    assert done.returncode == 2
    assert done.stderr
    assert len(dead_letters.users()) == 5


def test_there_may_be_no_letters(env: dict[str, str]) -> None:
    """With no queues at all, everything says that there is nothing, and ends well."""
    nothing = {"dead_letters": 0, "groups": [], "without_dead_letter": [], "unanswered_runs": []}
    assert json_output("dead-letters", "list", env=env) == nothing
    assert json_output("dead-letters", "show", env=env) == []
    assert json_output("dead-letters", "discard", "--yes", env=env) == NOTHING
    assert json_output("dead-letters", "replay", "--yes", env=env) == NOTHING
    for command in (("list",), ("show",), ("list", "--ungrouped"), ("discard", "--yes"), ("replay", "--yes")):
        assert update_sync("dead-letters", *command, env=env).stdout == "There are no dead letters.\n"
    assert update_sync("dead-letters", "list", "--users", env=env).stdout == "No user has failed.\n"


@pytest.mark.parametrize("command", [("list",), ("show",), ("discard", "--yes")])
def test_what_nobody_was_told_of_is_made_up(
    env: dict[str, str], dead_letters: DeadLetterSeeder, command: tuple[str, ...]
) -> None:
    """P3: a letter whose receipt was not told leaves no run open for ever, once somebody looks."""
    crashed = Failure(reason=Reason.CRASHED_WORKER, stage=Stage.RECEIVE, detail="died")
    run = dead_letters.run(["u1", "u2"])
    dead_letters.kill(run, ["u1"])
    dead_letters.kill(run, ["u2"], crashed, told=False)
    assert dead_letters.store.runs.get(run).status is Status.UPDATING
    assert update_sync("dead-letters", *command, env=env).returncode == 0
    summary = dead_letters.store.runs.summary(run)
    assert summary.run.status is Status.COMPLETED
    assert summary.counts == {Outcome.DEAD_LETTERED: 2}
    assert summary.reasons == {Reason.INVALID_USER: 1, Reason.CRASHED_WORKER: 1}


@pytest.mark.usefixtures("run")
def test_replaying_asks_on_a_terminal(env: dict[str, str], dead_letters: DeadLetterSeeder) -> None:
    """It says what it would do, and does nothing unless it is told to."""
    code, seen = run_on_terminal("dead-letters", "replay", env=env, typed={"dead letters?": "n\n"})
    assert code == 1
    assert "exempel invalid_user" in seen
    assert "Nothing has been done." in seen
    assert len(dead_letters.users()) == 5
    assert dead_letters.store.operations.list() == []


def test_what_cannot_be_replayed_is_said(
    env: dict[str, str], dead_letters: DeadLetterSeeder, run: int
) -> None:
    """Bytes that are no message stay, and it is said, with 1, what to do about them."""
    dead_letters.put(USER_SYNC_QUEUE, GARBAGE)
    done = update_sync("dead-letters", "replay", "--yes", "--reason", "undecodable", env=env)
    assert done.returncode == 1
    assert "1  cannot be replayed: not a message of the sync" in done.stderr
    assert (len(dead_letters.bodies()), dead_letters.outcomes(run)) == (6, {"dead_lettered": 5})


def test_a_replay_that_nobody_works_off_can_be_ended(
    env: dict[str, str], dead_letters: DeadLetterSeeder, run: int
) -> None:
    """P3: with no worker at hand the first step waits; told not to, it stops, and no sum changes."""
    done = update_sync("dead-letters", "replay", "--yes", "--step-timeout", "0.1", "--json", env=env)
    operation = json.loads(done.stdout)
    assert (done.returncode, operation["status"]) == (1, "stopped")
    assert operation["counts"] == {"published": 1, "on_their_way": 1, "left": 4}
    assert "still pending after 0.1 s: 1" in operation["detail"]
    # Of the reasons, the one of u3 may have passed by itself.
    assert dead_letters.users() == ["u1", "u2", "u4", "u5"]
    assert dead_letters.outcomes(run) == {"dead_lettered": 5}


def test_without_a_broker_it_is_said(env: dict[str, str]) -> None:
    """P8: RabbitMQ being away is said in words, with 1."""
    away = {**env, "UPDATE_SYNC_AMQP_URL": "amqp://guest:guest@127.0.0.1:9/?connection_attempts=1"}
    done = update_sync("dead-letters", "list", env=away)
    assert done.returncode == 1
    assert "RabbitMQ is away" in done.stderr


#: A screen wiped, a title set, a line faked, the direction of writing turned, half a surrogate.
HOSTILE = "\x1b[2J\x1b]0;t\x07\x9b1m\r\nfaked\u2028\u202e\u2066\ud800\x7f\0"


def test_a_strangers_letter_plays_no_tricks_on_a_terminal(
    env: dict[str, str], dead_letters: DeadLetterSeeder
) -> None:
    """Ids, tenants, reasons and keys of a foreign message come out escaped, and in JSON as they were."""
    body = {
        "queue_name": USER_SYNC_QUEUE,
        "actor_name": HOSTILE,
        "message_id": HOSTILE,
        "args": [],
        "kwargs": {"tenant": HOSTILE, "run": 1, "user": HOSTILE, HOSTILE: HOSTILE},
        "options": {"update_sync": {"reason": HOSTILE, "stage": HOSTILE, "detail": HOSTILE}},
    }
    dead_letters.put(USER_SYNC_QUEUE, json.dumps(body).encode())
    for arguments in (("list",), ("list", "--ungrouped"), ("show",), ("replay", "--dry-run")):
        code, seen = run_on_terminal("dead-letters", *arguments, env=env)
        assert code in (0, 1, 2), seen
        for sign in "\x07\x9b\u2028\u202e\u2066\x7f\0":
            assert sign not in seen
        assert "\x1b[2J" not in seen
        assert "\x1b]" not in seen
        assert not any(line.startswith("faked") for line in seen.splitlines())
    listed = update_sync("dead-letters", "list", "--ungrouped", "--json", env=env)
    assert listed.stdout.replace("\n", "").isprintable()
    assert len(json.loads(listed.stdout)) == 1
