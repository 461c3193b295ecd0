import pytest

from config import ConfigurationError, Settings

KEY = {"STUDIONETT_SECRET_KEY": "x"}


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
        ("DATABASE_URL", "postgresql://db:notaport/studionett"),
        ("TRUSTED_PROXY", "proxy.example"),
        ("SECURE_COOKIES", "maybe"),
    ],
)
def test_a_wrong_setting_is_named_in_a_sentence(name, value):
    with pytest.raises(ConfigurationError, match=rf"^STUDIONETT_{name} is wrong: .+\.$"):
        Settings.from_environment({**KEY, f"STUDIONETT_{name}": value})


def test_secrets_are_not_shown_with_the_settings():
    found = Settings(secret_key="hush", database_url="postgresql+psycopg://u:hush@db/x")
    assert "hush" not in repr(found)
