import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.profiles import FIELD_LIMIT, SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME, Identity, identity, uptime_seconds

TANDBERG = "1.3.6.1.4.1.5596.150.6.4.1"
SX80 = b"Cisco Codec\nSoftW: ce9.10.0.1ab2c3d\nMCU: Cisco TelePresence SX80\nDate: 2019-10-25\nS/N: FTT1234567"


@pytest.mark.parametrize(
    ("description", "object_id", "expected"),
    [
        (SX80, TANDBERG, Identity("Cisco", "Cisco TelePresence SX80", "FTT1234567", "ce9.10.0.1ab2c3d")),
        (
            SX80.replace(b"\n", b"\r\n"),
            TANDBERG,
            Identity("Cisco", "Cisco TelePresence SX80", "FTT1234567", "ce9.10.0.1ab2c3d"),
        ),
        (
            SX80.replace(b"\n", b" "),
            "1.3.6.1.4.1.8072.3.2.10",
            Identity("Cisco", "Cisco TelePresence SX80", "FTT1234567", "ce9.10.0.1ab2c3d"),
        ),
        (b"Polycom RealPresence Group 500", "1.3.6.1.4.1.13885.101", Identity("Poly")),
        (b"Linux studio 5.10", "1.3.6.1.4.1.8072.3.2.10", Identity()),
        (b"Cisco Codec\nS/N:\nSoftW: ", TANDBERG, Identity("Cisco")),
        (b"", "", Identity()),
    ],
)
def test_the_description_tells_model_serial_and_software(
    description: bytes, object_id: str, expected: Identity
) -> None:
    assert identity({SYS_DESCR: description, SYS_OBJECT_ID: object_id}) == expected


@given(st.binary(max_size=4000), st.text(max_size=30))
def test_any_description_gives_short_printable_fields(description: bytes, object_id: str) -> None:
    found = identity({SYS_DESCR: b"S/N: " + description, SYS_OBJECT_ID: object_id})
    for field in (found.vendor, found.model, found.serial, found.software):
        assert field is None or (0 < len(field) <= FIELD_LIMIT and field.isprintable())


def test_what_is_not_supported_is_nothing_known() -> None:
    assert identity({SYS_DESCR: None, SYS_OBJECT_ID: None}) == Identity()
    assert uptime_seconds({SYS_UPTIME: None}) is None


def test_uptime_is_in_seconds() -> None:
    assert uptime_seconds({SYS_UPTIME: 4242}) == 42.42
