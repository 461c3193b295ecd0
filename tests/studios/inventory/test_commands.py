from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import Result
from flask import Flask

from demonstration.commands import demo
from models import Credential, db
from studios.inventory import commands
from studios.inventory.commands import credential, inventory
from tests.studios.inventory.files import file_of, row, rows


@pytest.fixture
def run(app: Flask):  # type: ignore[no-untyped-def]
    """Run a command as `studionett` does; what it says goes to two streams."""

    def invoke(*arguments: str, given: bytes | str = b"") -> Result:
        groups = {"inventory": inventory, "credential": credential, "demo": demo}
        result = app.test_cli_runner().invoke(groups[arguments[0]], arguments[1:], input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


def test_an_import_says_in_one_line_what_it_did(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "studios.csv"
    file.write_bytes(file_of(*rows(3)))
    first, second = run("inventory", "import", str(file)), run("inventory", "import", str(file))
    assert (first.exit_code, first.output) == (0, f"Imported {file}: 3 created, 0 changed, 0 unchanged.\n")
    assert (second.exit_code, second.output) == (0, f"Imported {file}: 0 created, 0 changed, 3 unchanged.\n")


def test_bad_rows_are_listed_and_nothing_is_imported(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "studios.csv"
    file.write_bytes(file_of(row(), row(code="S-2", capacity=0, town=""), row(code="S-3", snmp_port=0)))
    result = run("inventory", "import", str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        f"{file}, line 3: capacity: “0” is not between 1 and 1000",
        f"{file}, line 3: town: is empty",
        f"{file}, line 4: snmp_port: “0” is not between 1 and 65535",
        f"Error: nothing was imported: {file} has 2 bad lines.",
    ]


def test_skip_bad_succeeds_when_anything_was_imported(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "studios.csv"
    file.write_bytes(file_of(row(), row(code="S-2", capacity=0)))
    result = run("inventory", "import", str(file), "--skip-bad")
    assert result.exit_code == 0
    assert result.stdout == f"Imported {file}: 1 created, 0 changed, 0 unchanged; 1 bad left out.\n"
    assert "line 3: capacity" in result.stderr
    file.write_bytes(file_of(row(capacity=0)))
    assert run("inventory", "import", str(file), "--skip-bad").exit_code == 1
    file.write_bytes(b"code\n")
    assert run("inventory", "import", str(file), "--skip-bad").exit_code == 1


@pytest.mark.parametrize("name", ["missing.csv", ".", "x" * 300, "studios.csv/x"])
def test_a_file_that_cannot_be_read_is_a_sentence(run, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "studios.csv").write_bytes(b"")
    result = run("inventory", "import", str(tmp_path / name))
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr
    assert "Traceback" not in result.output


def test_an_export_is_imported_without_a_change(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file, copy = tmp_path / "studios.csv", tmp_path / "copy.csv"
    file.write_bytes(file_of(*rows(3, town="Kárášjohka")))
    run("inventory", "import", str(file))
    assert run("inventory", "export").stdout_bytes == file.read_bytes()
    assert run("inventory", "export", str(copy)).output == f"Exported 3 studios to {copy}.\n"
    assert copy.read_bytes() == file.read_bytes()
    assert "0 created, 0 changed, 3 unchanged" in run("inventory", "import", str(copy)).output
    assert run("inventory", "export", str(tmp_path)).exit_code == 1


def test_a_secret_is_stored_sealed_and_never_shown(run) -> None:  # type: ignore[no-untyped-def]
    result = run("credential", "set", "codec", "--user", "admin", given="hemmelig ord\n")
    assert (result.exit_code, result.output) == (0, "Stored the credential codec.\n")
    stored = db.session.scalars(db.select(Credential)).one()
    assert (stored.username, stored.open()) == ("admin", "hemmelig ord")
    assert "hemmelig" not in stored.sealed_secret
    listed = run("credential", "list").output
    assert "codec" in listed
    assert "admin" in listed
    assert "hemmelig" not in listed
    assert stored.sealed_secret not in listed


def test_a_changed_secret_keeps_the_user_when_none_is_given(run) -> None:  # type: ignore[no-untyped-def]
    run("credential", "set", "codec", "--user", "admin", given="one")
    assert run("credential", "set", "codec", given="two\r\n").output == "Changed the credential codec.\n"
    stored = db.session.scalars(db.select(Credential)).one()
    assert (stored.username, stored.open()) == ("admin", "two")


KEYS = ("auth-hemmelig", "priv-hemmelig")


@pytest.mark.parametrize(
    ("options", "given"),
    [
        (("--auth", "--priv"), "auth-hemmelig\npriv-hemmelig\n"),
        (("--auth", "--priv"), "auth-hemmelig\r\npriv-hemmelig"),
        (("--auth", KEYS[0], "--priv", KEYS[1]), ""),
        (("--auth", "--priv", KEYS[1]), "auth-hemmelig\n"),
        (("--auth", KEYS[0], "--priv"), "priv-hemmelig\n"),
    ],
)
def test_snmp_3_keys_come_by_standard_input_or_behind_their_options(  # type: ignore[no-untyped-def]
    run, options: tuple[str, ...], given: str
) -> None:
    result = run("credential", "set", "watch", "--user", "studionett", *options, given=given)
    assert (result.exit_code, result.stdout) == (0, "Stored the credential watch.\n")
    assert ("seen by others" in result.stderr) is any(key in options for key in KEYS)
    stored = db.session.scalars(db.select(Credential)).one()
    assert (stored.username, stored.open(), stored.open_privacy()) == ("studionett", *KEYS)
    assert "hemmelig" not in (stored.sealed_privacy or "")
    listed = run("credential", "list").output
    assert "SNMPv3" in listed
    assert "hemmelig" not in listed + result.output


def test_a_plain_secret_makes_an_snmp_3_credential_a_plain_one(run) -> None:  # type: ignore[no-untyped-def]
    run("credential", "set", "watch", "--user", "studionett", "--auth", "--priv", given="\n".join(KEYS))
    run("credential", "set", "watch", given="community")
    stored = db.session.scalars(db.select(Credential)).one()
    assert (stored.open(), stored.open_privacy()) == ("community", None)


@pytest.mark.parametrize(
    ("options", "given", "why"),
    [
        (("--user", "u", "--auth", KEYS[0]), "", "both --auth and --priv"),
        (("--user", "u", "--auth", "--priv"), "auth-hemmelig\n", "holds 1 lines"),
        (("--user", "u", "--auth", "--priv"), "", "holds 0 lines"),
        (("--user", "u", "--auth", "--priv"), "auth-hemmelig\n\n", "is empty"),
        (("--user", "u", "--auth", "--priv"), "hemmeli\npriv-hemmelig\n", "authentication key is shorter than 8"),
        (("--user", "u", "--auth", "--priv"), "auth-hemmelig\nhemmeli\n", "privacy key is shorter than 8"),
        (("--auth", "--priv"), "\n".join(KEYS), "needs --user"),
        (("--user", "å" * 17, "--auth", "--priv"), "\n".join(KEYS), "1 to 32 octets"),
        (("--user", "u", "--auth", "hemmelig\udcff", "--priv", KEYS[1]), "", "not UTF-8"),
        (("--user", "u", "--auth", "hemmelig\nmer", "--priv", KEYS[1]), "", "line break"),
        (("--user", "u", "--auth", KEYS[0], "--priv", "hemmelig" * 200), "", "longer than 1000"),
    ],
)
def test_bad_snmp_3_keys_are_refused_without_repeating_them(  # type: ignore[no-untyped-def]
    run, options: tuple[str, ...], given: str, why: str
) -> None:
    result = run("credential", "set", "watch", *options, given=given)
    assert result.exit_code == 1
    assert why in result.stderr
    assert "hemmeli" not in result.output
    assert db.session.scalar(db.select(db.func.count()).select_from(Credential)) == 0


@pytest.mark.parametrize(
    ("name", "given", "why"),
    [
        ("codec", b"", "is empty"),
        ("codec", b"\n", "is empty"),
        ("codec", b"hemmelig\xff", "not UTF-8"),
        ("codec", b"hemmelig\nmer\n", "line break"),
        ("codec", b"hemmelig" * 200, "longer than 1000"),
        ("", b"hemmelig", "is empty"),
        ("x" * 101, b"hemmelig", "101 characters"),
    ],
)
def test_a_bad_credential_is_refused_without_repeating_the_secret(run, name: str, given: bytes, why: str) -> None:  # type: ignore[no-untyped-def]
    result = run("credential", "set", name, given=given)
    assert result.exit_code == 1
    assert why in result.stderr
    assert "hemmelig" not in result.output
    assert db.session.scalar(db.select(db.func.count()).select_from(Credential)) == 0


def test_a_standard_input_that_is_closed_is_an_empty_one(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(commands, "sys", SimpleNamespace(stdin=None))
    result = run("credential", "set", "codec")
    assert (result.exit_code, result.stderr) == (1, "Error: the credential was not stored: is empty.\n")
