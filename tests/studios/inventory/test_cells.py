import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import Credential, Endpoint, Organisation, Site, Studio
from studios.inventory.cells import CHECKS, Unfit, clean, is_host

LENGTHS = {
    "code": Studio.code,
    "name": Studio.name,
    "site": Site.name,
    "organisation": Organisation.name,
    "health_region": Site.health_region,
    "county": Site.county,
    "municipality": Site.municipality,
    "town": Site.town,
    "dial_address": Endpoint.dial_address,
    "control_url": Endpoint.control_url,
    "control_credential": Credential.name,
    "snmp_host": Endpoint.snmp_host,
    "snmp_credential": Credential.name,
}


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("latitude", "69.6500", 69.65),
        ("latitude", "-0", 0.0),
        ("longitude", "18.1234567", 18.123457),
        ("capacity", "010", 10),
        ("equipment", " a ; b;a;; ", ("a", "b")),
        ("equipment", "", ()),
        ("control_driver", "", None),
        ("control_url", "https://codec-4.sykehus.example:8443/", "https://codec-4.sykehus.example:8443/"),
        ("control_url", "http://[2001:db8::4]:8080", "http://[2001:db8::4]:8080"),
        ("snmp_host", "2001:db8::4", "2001:db8::4"),
        ("snmp_port", "", 161),
        ("snmp_version", "", "2c"),
        ("dial_address", "sip:studio@10.1.2.3:5060;transport=tcp", "sip:studio@10.1.2.3:5060;transport=tcp"),
        ("dial_address", "4711", "4711"),
        ("name", "=HYPERLINK(1)", "=HYPERLINK(1)"),
    ],
)
def test_a_cell_that_fits_becomes_its_value(column: str, cell: str, value: Any) -> None:
    found = CHECKS[column](clean(cell))
    assert found == value
    assert str(found) == str(value)  # 0.0 and not -0.0


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("code", "", "empty"),
        ("code", "UNN 4", "no code"),
        ("code", "a/b", "no code"),
        ("code", "..", "no code"),
        ("name", "", "empty"),
        ("name", "a\nb", "control character"),
        ("name", "a\x00b", "control character"),
        ("name", "\x1b[2J", "control character"),
        ("name", "a\u2028b", "line break"),
        ("name", "\udce6", "UTF-8"),
        ("organisation_kind", "hospital", "health_trust"),
        ("latitude", "90.1", "between -90 and 90"),
        ("latitude", "69,65", "point"),
        ("latitude", "nan", "not a number"),
        ("longitude", "-181", "between -180 and 180"),
        ("longitude", "1e1", "not a number"),
        ("capacity", "0", "between 1"),
        ("capacity", "1001", "between 1"),
        ("capacity", "-4", "whole number"),
        ("capacity", "٤", "whole number"),
        ("equipment", "x" * 61, "longer"),
        ("equipment", ";".join(map(str, range(51))), "51 pieces"),
        ("control_driver", "polycom", "cisco-xapi"),
        ("control_url", "http://", "host"),
        ("control_url", "https://:8080", "host"),
        ("control_url", "ftp://codec", "http"),
        ("control_url", "codec.example", "http"),
        ("control_url", "http://10.0.0.256", "host"),
        ("control_url", "http://codec:0", "port"),
        ("control_url", "http://codec:99999", "no web address"),
        ("control_url", "http://[::1", "no web address"),
        ("control_url", "http://codec/a b", "plain"),
        ("snmp_host", "10.0.0.256", "neither"),
        ("snmp_host", "studio_4", "neither"),
        ("snmp_host", "-studio", "neither"),
        ("snmp_host", "a..b", "neither"),
        ("snmp_host", "http://10.0.0.1", "neither"),
        ("snmp_host", "10.0.0.1:161", "neither"),
        ("snmp_port", "0", "between 1 and 65535"),
        ("snmp_port", "65536", "between 1 and 65535"),
        ("snmp_version", "1", "2c, 3"),
        ("dial_address", "sip:studio@", "names no host"),
        ("dial_address", "studio@10.0.0.256", "names no host"),
        ("dial_address", "sip:studio@host:0", "names no host"),
        ("dial_address", "studio 4", "blank"),
    ],
)
def test_a_cell_that_does_not_fit_says_why(column: str, cell: str, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        CHECKS[column](clean(cell))


@pytest.mark.parametrize("column", LENGTHS)
def test_a_text_may_be_as_long_as_its_column_and_no_longer(column: str) -> None:
    longest = LENGTHS[column].type.length  # type: ignore[attr-defined]
    if column not in ("control_url", "snmp_host"):
        assert CHECKS[column]("x" * longest)
    with pytest.raises(Unfit, match=f"at most {longest}"):
        CHECKS[column]("x" * (longest + 1))


def test_a_password_in_a_web_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(Unfit) as refused:
        CHECKS["control_url"]("http://admin:hemmelig@codec")
    assert "hemmelig" not in str(refused.value)


def test_a_composed_letter_and_one_in_two_parts_are_the_same() -> None:
    assert clean("Bod\u00f8 A\u030as") == clean("Bod\u00f8 \u00c5s")


@settings(deadline=None)
@given(st.ip_addresses())
def test_every_ip_address_is_a_host(address: Any) -> None:
    assert is_host(str(address))


@settings(deadline=None)
@given(st.sampled_from(sorted(CHECKS)), st.text())
def test_any_text_becomes_a_value_or_a_reason_that_a_terminal_can_show(column: str, cell: str) -> None:
    reason = ""
    try:
        CHECKS[column](clean(cell))
    except Unfit as unfit:
        reason = str(unfit)
    assert not {unicodedata.category(character) for character in reason} & {"Cc", "Cs"}
