import pytest

from config import ConfigurationError, MailServer, MailTls, Settings

KEY = {"STUDIONETT_SECRET_KEY": "x"}
FROM = "Studionett <studionett@example.org>"


def test_settings_are_read_from_the_environment_and_have_defaults():
    found = Settings.from_environment({**KEY, "STUDIONETT_PORT": " 9000 ", "STUDIONETT_SECURE_COOKIES": "yes"})
    assert (found.port, found.secure_cookies, found.host) == (9000, True, "127.0.0.1")


def test_a_plain_postgresql_address_gets_its_driver():
    for scheme in ("postgres", "postgresql"):
        found = Settings.from_environment({**KEY, "STUDIONETT_DATABASE_URL": f"{scheme}://db/studionett"})
        assert found.database_url == "postgresql+psycopg://db/studionett"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("THREADS", "-1"),
        ("THREADS", "2.5"),
        ("POLL_INTERVAL", "soon"),
        ("POLL_INTERVAL", "-5"),
        ("POLL_INTERVAL", "nan"),
        ("ZONE", "Mars/Olympus"),
        ("DATABASE_URL", "mysql://db/studionett"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "postgresql://db:notaport/studionett"),
        ("TRUSTED_PROXY", "proxy.example"),
        ("PUBLIC_URL", "studionett.example.org"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://studionett.example.org/?a=1"),
        ("PUBLIC_URL", "https://[studionett"),
        ("SECURE_COOKIES", "maybe"),
        ("SMTP_URL", "mail.example"),
        ("SMTP_URL", "http://mail.example"),
        ("SMTP_URL", "smtp://"),
        ("SMTP_URL", "smtp://mail.example:0"),
        ("SMTP_URL", "smtp://mail.example/inbox"),
        ("SMTP_URL", "smtp://mail.example?tls=maybe"),
        ("SMTP_URL", "smtps://mail.example?tls=none"),
        ("SMTP_URL", "smtp://eva@mail.example"),
        ("SMTP_URL", "smtp://eva:hu/sh@mail.example"),
        ("SMTP_URL", "smtp://eva:hush@mail.example?tls=none"),
        ("SMTP_URL", "smtp://[mail.example"),
        ("MAIL_FROM", "Studionett"),
        ("MAIL_FROM", "Studionett <studionett@>"),
        ("MAIL_FROM", "a@b.example, c@d.example"),
        ("MAIL_FROM", "post@blåbær.example"),
    ],
)
def test_a_wrong_setting_is_named_in_a_sentence(name, value):
    with pytest.raises(ConfigurationError, match=rf"^STUDIONETT_{name} is wrong: .+\.$") as refused:
        Settings.from_environment({**KEY, f"STUDIONETT_{name}": value})
    assert "hush" not in str(refused.value)
    assert "hu/sh" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "server"),
    [
        ("smtp://127.0.0.1:2525", MailServer("127.0.0.1", 2525, MailTls.NONE)),
        ("smtp://[::1]", MailServer("::1", 25, MailTls.NONE)),
        ("smtp://localhost?tls=starttls", MailServer("localhost", 587, MailTls.STARTTLS)),
        ("smtp://relay.example?tls=none", MailServer("relay.example", 25, MailTls.NONE)),
        ("smtp://eva:p%40ss@relay.example", MailServer("relay.example", 587, MailTls.STARTTLS, "eva", "p@ss")),
        ("smtps://eva:pass@relay.example", MailServer("relay.example", 465, MailTls.IMPLICIT, "eva", "pass")),
    ],
)
def test_the_way_to_a_mail_server_is_encrypted_unless_it_stays_on_the_machine(value, server):
    found = Settings.from_environment({**KEY, "STUDIONETT_SMTP_URL": value, "STUDIONETT_MAIL_FROM": FROM})
    assert found.smtp_url == server
    assert str(found.mail_from) == FROM


def test_a_mail_server_needs_a_sender():
    with pytest.raises(ConfigurationError, match="STUDIONETT_MAIL_FROM is not set"):
        Settings.from_environment({**KEY, "STUDIONETT_SMTP_URL": "smtp://localhost"})


def test_secrets_are_not_shown_with_the_settings():
    found = Settings(secret_key="hush", database_url="postgresql+psycopg://u:hush@db/x")
    assert "hush" not in repr(found)
    mailing = {"STUDIONETT_SMTP_URL": "smtps://eva:hush@mail.example", "STUDIONETT_MAIL_FROM": FROM}
    assert "hush" not in repr(Settings.from_environment({**KEY, **mailing}))
