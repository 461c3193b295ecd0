"""What equipment of each kind tells and what that means: answers as the vendors' MIBs document them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ConfigurationError
from devices.xapi import Peripherals
from monitoring.vendor_profiles import NOBODY, Told, check, profile_for

GROUP = "1.3.6.1.4.1.13885.101.1"
CTS = "1.3.6.1.4.1.9.9.643.1.2.1.1"
CTS_CALLS = "1.3.6.1.4.1.9.9.644.1.4"
HDX = "1.3.6.1.4.1.2684.1.1"


@pytest.mark.parametrize(
    ("object_id", "name"),
    [
        ("1.3.6.1.4.1.5596.150.6.4.1", "Cisco Room"),
        ("1.3.6.1.4.1.9.1.1433", "Cisco TelePresence CTS"),
        ("1.3.6.1.4.1.9.1.14330", "other"),
        ("1.3.6.1.4.1.13885.101.2", "Poly RealPresence Group"),
        ("1.3.6.1.4.1.2684", "Poly HDX"),
        ("1.3.6.1.4.1.35054.1", "other"),
        ("", "other"),
    ],
)
def test_equipment_is_known_by_its_object_identifier(object_id: str, name: str) -> None:
    assert profile_for(object_id, "").name == name


def group(**answers: int) -> Told:
    oids = {"overall": "6.0", "registered": "2.7.2.0", "microphones": "3.5.1.0", "cameras": "3.6.1.0", "calls": "5.1.0"}
    values = {f"{GROUP}.{oids[name]}": value for name, value in answers.items()}
    return profile_for("1.3.6.1.4.1.13885.101", "").read(values)


def test_a_poly_group_that_is_well_and_in_a_call() -> None:
    told = group(overall=2, registered=2, microphones=2, cameras=2, calls=1)
    assert told == Told(True, True, Peripherals({"0": True}, {"0": True}), 1)


def test_a_poly_group_with_faults() -> None:
    told = group(overall=3, registered=3, microphones=3, cameras=2, calls=0)
    assert told == Told(False, False, Peripherals({"0": True}, {"0": False}), 0)


def test_what_is_switched_off_on_a_poly_group_is_no_fault() -> None:
    assert group(overall=1, registered=1, microphones=1) == Told(device_well=True)


def test_a_cts_tells_of_each_peripheral_by_its_kind() -> None:
    values = {}
    for row, (state, kind) in enumerate([(0, 4), (2, 4), (0, 5), (6, 13)], start=1):
        values |= {f"{CTS}.3.{row}": state, f"{CTS}.4.{row}": kind}
    told = profile_for("1.3.6.1.4.1.9.1.800", "").read(values)
    assert told.peripherals == Peripherals({"1": True, "2": False}, {"4": False})


def cts_calls(*states: int | None) -> Told:
    oids = [f"{CTS_CALLS}.8.1.11.{row}" for row in range(1, len(states) + 1)]
    return profile_for("1.3.6.1.4.1.9.1.800", "").read(dict(zip(oids, states, strict=True)))


def test_a_cts_counts_the_calls_that_are_in_progress() -> None:
    assert cts_calls(8, 3).calls == 1
    assert cts_calls(None, None).calls == 0
    assert profile_for("1.3.6.1.4.1.9.1.800", "").read({}).calls is None


def test_of_several_streams_the_worst_counts() -> None:
    cts = {f"{CTS_CALLS}.10.1.12.1": 500_000, f"{CTS_CALLS}.10.1.12.2": 3_200_000, f"{CTS_CALLS}.10.1.22.1": 41}
    told = profile_for("1.3.6.1.4.1.9.1.800", "").read(cts)
    assert (told.loss_percent, told.jitter_ms) == (pytest.approx(3.2), 41.0)
    both_ways = {
        f"{GROUP}.4.1.1.16.1": 0,
        f"{GROUP}.4.1.1.17.1": 7,
        f"{GROUP}.4.1.1.20.1": 30,
        f"{GROUP}.4.1.1.21.1": 9,
    }
    told = profile_for("1.3.6.1.4.1.13885.101", "").read(both_ways)
    assert (told.loss_percent, told.jitter_ms) == (7.0, 30.0)


@pytest.mark.parametrize(
    ("loss", "jitter", "expected"),
    [
        (b"2.5", b"40", (2.5, 40.0)),
        (b" 0 %", b"3 ms", (0.0, 3.0)),
        (b"N/A", b"", (None, None)),
        (b"250", b"-3", (None, None)),
    ],
)
def test_an_hdx_tells_numbers_as_text(loss: bytes, jitter: bytes, expected: tuple[float | None, float | None]) -> None:
    told = profile_for("1.3.6.1.4.1.2684", "").read({f"{HDX}.21.0": loss, f"{HDX}.22.0": jitter})
    assert (told.loss_percent, told.jitter_ms) == expected


values = st.none() | st.integers() | st.binary(max_size=50) | st.text(max_size=20)


@given(st.sampled_from(["1.3.6.1.4.1.13885.101", "1.3.6.1.4.1.9.1.800", "1.3.6.1.4.1.2684"]), st.data())
def test_values_of_any_type_and_size_are_never_a_traceback(object_id: str, data: st.DataObject) -> None:
    profile = profile_for(object_id, "")
    told = profile.read({oid: data.draw(values) for oid in profile.oids})
    assert told.calls is None or 0 <= told.calls < 1e6
    assert told.loss_percent is None or 0 <= told.loss_percent <= 100


def test_an_installation_adds_a_kind_without_code(tmp_path: Path) -> None:
    (tmp_path / "sony.toml").write_text(
        'name = "Sony"\nmatches = ["1.3.6.1.4.1.122.8"]\n'
        '[[objects]]\noid = "1.3.6.1.4.1.122.8.1.0"\nmeans = "camera"\nwell = [7]\n'
    )
    profile = profile_for("1.3.6.1.4.1.122.8.3", str(tmp_path))
    assert profile.name == "Sony"
    assert profile.read({"1.3.6.1.4.1.122.8.1.0": 1}).peripherals == Peripherals({"0": False}, {})
    assert check(str(tmp_path)) == check("") + 1
    assert profile_for("1.3.6.1.4.1.122.8.3", "") is NOBODY


WELL = 'name = "A"\nmatches = ["1.3.6.1.4.1.1"]\n'


@pytest.mark.parametrize(
    "text",
    [
        "name = ",
        'matches = ["1.3.6.1.4.1.1"]',
        'name = "A"\nmatches = ["iso.org"]',
        WELL + '[[objects]]\noid = "1.3.6.1.4.1.1.1"\nmeans = "coffee"',
        WELL + '[[objects]]\noid = "1.3.6.1.4.1.1.1"\nmeans = "camera"\nwell = ["ok"]',
        WELL + '[peripherals]\nstate = "1.3.6.1.4.1.1.1"\nkind = "1.3.6.1.4.1.1.2"\n'
        "rows = 4000\nwell = [0]\ncameras = [4]\nmicrophones = [5]",
    ],
)
def test_a_file_that_cannot_be_understood_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"broken\.toml cannot be understood"):
        check(str(tmp_path))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="names no folder"):
        check(str(tmp_path / "nothing"))
