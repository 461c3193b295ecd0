"""`studionett check`: each thing broken on purpose, and what it says then."""

import os
import socket
import subprocess
import sys
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

import config
from accounts.people import add_account
from config import MailServer, Settings
from demonstration.people import ACCOUNTS, PASSWORD
from models import Credential, Role, SnmpVersion, db, write
from models.guards import drop_guards
from operation import commands
from operation.checks import configuration, equipment, surroundings, tables
from operation.checks.finding import Level, ok, wrong
from tests import factories
from tests.conftest import settings_for
from tests.messages.smtp import post as post_office
from tests.operation.test_processes import gives_sign

KEY = "a key that nobody will guess, for tests"
STUDIONETT = Path(sys.executable).with_name("studionett")


def found(**changes: object) -> Settings:
    return settings_for("sqlite:///none.db", **{"secret_key": KEY, **changes})


# The settings


def test_every_wrong_setting_is_told_not_only_the_first():
    told = configuration.wrong_settings({"STUDIONETT_PORT": "x", "STUDIONETT_ZONE": "Mars", "STUDIONETT_THREADS": "4"})
    assert [one.split()[0] for one in told] == ["STUDIONETT_PORT", "STUDIONETT_ZONE"]


def test_settings_that_only_together_make_no_sense_are_told():
    told = configuration.wrong_settings({"STUDIONETT_SMTP_URL": "smtp://127.0.0.1", "STUDIONETT_SECRET_KEY": KEY})
    assert "STUDIONETT_MAIL_FROM" in " ".join(told)


def test_a_misspelt_setting_is_named():
    told = configuration.names(found(), {"STUDIONETT_PROT": "1", "STUDIONETT_PORT": "1", "HOME": "/"})
    assert (told.level, "STUDIONETT_PROT;" in told.text) == (Level.WARNING, True)
    assert configuration.names(found(), {"STUDIONETT_PORT": "1"}).level is Level.OK


def test_a_short_secret_key_is_wrong():
    assert configuration.secret_key(found(secret_key="short")).level is Level.WRONG
    assert configuration.secret_key(found(), {"STUDIONETT_SECRET_KEY": KEY}).level is Level.OK


def test_a_secret_key_that_others_may_read_is_wrong(tmp_path, monkeypatch):
    path = tmp_path / "secret-key"
    path.write_text(KEY)
    monkeypatch.setattr(config, "SECRET_KEY_FILE", path)
    path.chmod(0o644)
    told = configuration.secret_key(found(), {})
    assert (told.level, f"chmod 600 {path}" in told.text) == (Level.WRONG, True)
    path.chmod(0o600)
    assert configuration.secret_key(found(), {}).level is Level.OK


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, Level.OK),
        ({"host": "0.0.0.0"}, Level.WRONG),
        ({"trusted_proxy": "10.0.0.1"}, Level.WRONG),
        ({"host": "0.0.0.0", "secure_cookies": True}, Level.OK),
    ],
)
def test_cookies_that_cross_a_network_unencrypted_are_wrong(changes, level):
    assert configuration.cookies(found(**changes)).level is level


@pytest.mark.parametrize(
    ("changes", "level"),
    [({}, Level.OK), ({"secure_cookies": True}, Level.WARNING), ({"trusted_proxy": "10.0.0.1"}, Level.OK)],
)
def test_an_unnamed_web_server_in_front_is_a_warning(changes, level):
    assert configuration.proxy(found(**changes)).level is level


def test_a_zone_without_summer_time_is_a_warning():
    assert configuration.zone(found(zone="UTC")).level is Level.WARNING
    assert configuration.zone(found()).level is Level.OK


def test_a_port_that_another_program_has_is_wrong():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        # It is asked whether it is ours, and hangs up.
        taken.settimeout(5)
        told = configuration.port(found(port=number))
    assert (told.level, str(number) in told.text) == (Level.WRONG, True)
    assert configuration.port(found(port=number)).level is Level.OK


@pytest.mark.parametrize("host", ["192.0.2.7", "no.such.invalid", "two..dots"])
def test_a_host_that_is_no_address_of_this_machine_is_wrong_and_named(host):
    told = configuration.port(found(host=host))
    assert (told.level, "STUDIONETT_HOST" in told.text) == (Level.WRONG, True)


def test_an_address_that_is_not_this_machines_is_wrong():
    assert configuration.port(found(host="192.0.2.1")).level is Level.WRONG


# The database


def test_a_database_that_is_not_there_is_wrong_and_is_not_made_by_looking(tmp_path):
    from app import create_app

    with create_app(settings_for(f"sqlite:///{tmp_path / 'none.db'}")).app_context():
        assert "run studionett db upgrade" in tables.reachable(found()).text
    assert not (tmp_path / "none.db").exists()
    with create_app(settings_for("postgresql+psycopg://u:hemmelig@127.0.0.1:9/none")).app_context():
        told = tables.reachable(found())
    assert told.level is Level.WRONG
    assert "hemmelig" not in told.text


def test_a_whole_database_is_ok(app):
    for look in (tables.reachable, tables.storage, tables.migrations, tables.guards, tables.clock):
        assert look(found()).level is Level.OK, look


def test_a_journal_other_than_wal_is_wrong(app, dialect):
    if dialect == "sqlite":
        db.session.rollback()
        db.session.execute(sa.text("SELECT 1"))
        db.session.connection().connection.driver_connection.execute("ROLLBACK")
        db.session.connection().connection.driver_connection.execute("PRAGMA journal_mode=DELETE")
        assert "not wal" in tables.storage(found()).text


def test_a_full_disk_is_a_warning(app, dialect, monkeypatch):
    if dialect == "sqlite":
        monkeypatch.setattr(tables.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
        assert tables.storage(found()).level is Level.WARNING


def test_an_old_postgresql_is_wrong(app, dialect, monkeypatch):
    if dialect == "postgresql":
        monkeypatch.setattr(tables, "OLDEST_POSTGRESQL", 990_000)
        assert "too old" in tables.storage(found()).text


def test_tables_of_another_version_are_wrong(app):
    write(lambda: db.session.execute(sa.text("UPDATE alembic_version SET version_num = '001'")))
    assert "run studionett db upgrade" in tables.migrations(found()).text


def test_no_tables_are_wrong(empty_database_url):
    from app import create_app

    with create_app(settings_for(empty_database_url)).app_context():
        assert "no tables" in tables.migrations(found()).text


def test_missing_guards_are_wrong(app):
    write(lambda: drop_guards(db.session.connection()))
    told = tables.guards(found())
    assert (told.level, "reservation_overlap" in told.text) == (Level.WRONG, True)


def test_a_clock_that_is_off_is_wrong(app, monkeypatch):
    real = tables.database_now
    monkeypatch.setattr(tables, "database_now", lambda: real() + timedelta(seconds=5))
    assert tables.clock(found()).level is Level.WRONG


# The equipment


def test_a_credential_of_another_key_is_named(app):
    factories.credential("codecs")
    assert equipment.credentials(found()).level is Level.OK
    write(lambda: db.session.execute(sa.update(Credential).values(sealed_secret="gAAAAA")))
    told = equipment.credentials(found())
    assert (told.level, "codecs" in told.text) == (Level.WRONG, True)


def test_endpoints_without_a_credential_or_with_snmp_v2c_are_counted(app):
    key = factories.credential()
    good = {"control_credential_id": key.id, "snmp_credential_id": key.id, "snmp_version": SnmpVersion.V3}
    factories.endpoint(factories.studio(), "127.9.9.1", **{**good, "snmp_host": "127.9.9.1"})
    assert [one.level for one in equipment.endpoints(found())] == [Level.OK]
    bad = {"control_credential_id": None, "snmp_credential_id": None, "snmp_version": SnmpVersion.V2C}
    factories.endpoint(factories.studio(), "127.9.9.2", **{**bad, "snmp_host": "127.9.9.2"})
    without, plain = equipment.endpoints(found())
    assert ": 1 to steer, 1 to watch" in without.text
    assert "1 endpoints are watched by SNMP v2c" in plain.text


def test_a_file_without_certificates_is_wrong_and_trusting_all_a_warning(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    assert equipment.certificates(found(control_ca=str(tmp_path / "ca.pem"))).level is Level.WRONG
    assert equipment.certificates(found(control_verify=False)).level is Level.WARNING
    assert equipment.certificates(found()).level is Level.OK


def test_an_snmp_engine_that_is_not_installed_is_wrong(monkeypatch):
    assert equipment.snmp(found()).level is Level.OK
    monkeypatch.setattr(equipment, "LIBRARIES", {"gufo": "none.there", "pysnmp": "nor_there"})
    assert equipment.snmp(found()).level is Level.WRONG


# What stands around


def test_a_language_that_was_not_compiled_since_it_changed_is_wrong(tmp_path):
    catalogue = tmp_path / "translations/nb/LC_MESSAGES/messages.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.touch()
    assert "nb" in surroundings.translations(found(), tmp_path).text
    catalogue.with_suffix(".mo").touch()
    assert surroundings.translations(found(), tmp_path).level is Level.OK
    os.utime(catalogue.with_suffix(".mo"), (0, 0))
    assert surroundings.translations(found(), tmp_path).level is Level.WRONG


def test_missing_assets_are_named(tmp_path):
    assert "htmx.min.js" in surroundings.assets(found(), tmp_path).text


def test_a_mail_server_that_answers_is_ok_and_one_that_does_not_is_wrong():
    assert surroundings.mail(found()).level is Level.WARNING
    with post_office() as post:
        assert surroundings.mail(found(smtp_url=post.server)).level is Level.OK
    assert surroundings.mail(found(smtp_url=MailServer("127.0.0.1", post.port))).level is Level.WRONG


def test_a_mail_server_that_is_silent_holds_up_the_check_for_a_short_time_only(monkeypatch):
    monkeypatch.setattr(surroundings, "MAIL_PATIENCE", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = surroundings.mail(found(smtp_url=MailServer("127.0.0.1", silent.getsockname()[1])))
    assert "did not answer within" in told.text


@pytest.mark.parametrize(
    ("changes", "level"),
    [({}, Level.OK), ({"host": "0.0.0.0"}, Level.WRONG), ({"trusted_proxy": "10.0.0.1"}, Level.WRONG)],
)
def test_known_passwords_where_others_can_reach_them_are_wrong(app, changes, level):
    email = ACCOUNTS[2].email
    write(lambda: add_account(email, "Tekniker", PASSWORD, [(Role.TECHNICIAN, None)]).id)
    told = surroundings.demonstration_accounts(found(**changes))
    assert told.level is level
    assert (email in told.text) == (level is Level.WRONG)


def test_a_demonstration_account_with_a_password_of_its_own_harms_nobody(app):
    write(lambda: add_account(ACCOUNTS[2].email, "Tekniker", "a password of my own", [(Role.TECHNICIAN, None)]).id)
    assert surroundings.demonstration_accounts(found(host="0.0.0.0")).level is Level.OK


def test_silent_and_missing_processes_are_warnings(app):
    gives_sign("scheduler", timedelta(minutes=3))
    told = [one.text for one in surroundings.running(found())]
    assert any("scheduler-one" in one and "is silent since" in one for one in told)
    assert any("studios are not watched; start it: studionett monitor" in one for one in told)
    gives_sign("scheduler")
    gives_sign("monitor")
    assert [one.level for one in surroundings.running(found())] == [Level.OK]


# The command


def test_the_command_says_a_line_for_each_check_and_fails_only_for_what_is_wrong(app, monkeypatch):
    monkeypatch.setattr(commands, "CHECKS", [("one", lambda _: ok("Well.")), ("two", lambda _: wrong("Not well."))])
    told = app.test_cli_runner().invoke(args=["check"])
    assert told.output.splitlines() == ["ok       one: Well.", "wrong    two: Not well."]
    assert told.exit_code == 1
    monkeypatch.setattr(commands, "CHECKS", [("one", lambda _: ok("Well."))])
    monkeypatch.setattr(commands, "CHECKS_OF_ROWS", [("none", lambda _: [])])
    assert app.test_cli_runner().invoke(args=["check"]).exit_code == 0


@pytest.mark.parametrize("setting", ["STUDIONETT_PORT", "STUDIONETT_DATABASE_URL"])
def test_wrong_settings_are_lines_too(setting):
    done = subprocess.run(
        [STUDIONETT, "check"], env={**os.environ, setting: "x"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stdout.startswith(f"wrong    settings: {setting} is wrong: ")
    assert "Traceback" not in done.stderr


def test_no_check_repeats_a_secret(app):
    factories.credential("codecs", secret="hemmelig")
    password = "hemmelig-passord"
    settings = found(smtp_url=MailServer(str(ip_address("127.0.0.1")), 9, user="u", password=password))
    told = " ".join(finding.text for _, finding in commands.findings(settings))
    assert KEY not in told
    assert "hemmelig" not in told
