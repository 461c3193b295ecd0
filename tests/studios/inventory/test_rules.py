import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from studios.inventory.rules import COLUMNS, Fault, Reading, faults_against, read_inventory
from tests.studios.inventory.files import GOOD, file_of, row, rows


def reasons(reading: Reading) -> list[str]:
    return [str(fault) for fault in reading.faults]


def test_a_good_file_is_read_row_by_row() -> None:
    reading = read_inventory(file_of(*rows(3)))
    assert reading.faults == ()
    assert [(line, found.code) for line, found in reading.rows.items()] == [(2, "S-1"), (3, "S-2"), (4, "S-3")]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_utf_8_is_read_with_and_without_a_mark_and_with_any_line_end(mark: bytes, line_end: bytes) -> None:
    reading = read_inventory(mark + file_of(*rows(2, town="Kárášjohka")).replace(b"\n", line_end))
    assert [found.town for found in reading.rows.values()] == ["Kárášjohka"] * 2


def test_every_fault_of_every_row_is_named_with_its_line() -> None:
    reading = read_inventory(
        file_of(row(capacity=0, latitude="95"), row(code="S-2"), row(code="S-3", snmp_port="x", town=""))
    )
    assert reasons(reading) == [
        "line 2: capacity: “0” is not between 1 and 1000",
        "line 2: latitude: “95” is not between -90 and 90",
        "line 4: snmp_port: “x” is not a whole number",
        "line 4: town: is empty",
    ]
    assert list(reading.rows) == [3]


def test_lines_are_counted_as_an_editor_does() -> None:
    content = file_of(row(), row(code="S-2", capacity=0)).replace(b"\nS-2", b"\n\n\nS-2")
    assert reasons(read_inventory(content)) == ["line 5: capacity: “0” is not between 1 and 1000"]


def test_a_cell_over_several_lines_is_reported_where_its_row_begins() -> None:
    reading = read_inventory(file_of(row(name="Studio\n4"), row(code="S-2", capacity=0)))
    assert [fault.line for fault in reading.faults] == [2, 4]


def test_missing_and_unknown_columns_are_named() -> None:
    header = (*COLUMNS[1:-1], "floor", "name")
    reading = read_inventory(file_of(header=header))
    assert reading.refused
    assert reasons(reading) == [
        "line 1: the header lacks code, snmp_credential",
        "line 1: the header has an unknown column: “floor”",
        "line 1: the header names twice: name",
    ]


def test_misplaced_columns_are_named() -> None:
    reading = read_inventory(file_of(header=("name", "code", *COLUMNS[2:])))
    assert reasons(reading) == [
        "line 1: the header has name where code belongs",
        "line 1: the header has code where name belongs",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (file_of(row()).replace(b",", b";"), "separated by semicolons"),
        ("code,name".encode("utf-16"), "UTF-16"),
        (b"\xe6," + file_of(), "the header is not UTF-8"),
        (b'"code', "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_inventory_is_refused_as_a_whole(content: bytes, reason: str) -> None:
    reading = read_inventory(content)
    assert reading.refused
    assert reading.rows == {}
    assert reason in reasons(reading)[0]


def test_a_line_that_is_not_utf_8_is_named_and_the_others_are_read() -> None:
    content = file_of(*rows(3)).replace(b"S-2", b"S-\xf8")
    reading = read_inventory(content)
    assert reasons(reading) == ["line 3: code: is not UTF-8; save the file as UTF-8"]
    assert list(reading.rows) == [2, 4]


def test_cells_with_the_same_fault_share_a_line() -> None:
    content = file_of(row(name="a", site="", town="")).replace(b",a,", b",\xf8,").replace(b",Nord,", b",\xd8st,")
    assert reasons(read_inventory(content)) == [
        "line 2: name, health_region: is not UTF-8; save the file as UTF-8",
        "line 2: site, town: is empty",
    ]


def test_a_row_with_too_few_cells_is_bad() -> None:
    assert reasons(read_inventory(file_of(row()) + b"S-2,Studio 2\n")) == ["line 3: has 2 cells; 21 belong there"]


def test_a_quote_that_never_closes_is_named_where_it_opens() -> None:
    reading = read_inventory(file_of(row()) + b'"S-2,\n' + file_of(*rows(2)))
    assert [fault.line for fault in reading.faults] == [3]


def test_a_code_that_stands_twice_names_both_lines() -> None:
    reading = read_inventory(file_of(*(row(code=code) for code in ("S-1", "S-2", "S-1", "s-1"))))
    assert reasons(reading) == [
        "line 4: code: S-1 is already on line 2",
        "line 5: code: S-1 is already on line 2",
    ]


def test_an_organisation_of_two_kinds_names_both_lines() -> None:
    reading = read_inventory(file_of(row(code="S-1"), row(code="S-2", organisation_kind="gp")))
    assert reasons(reading) == ["line 3: organisation_kind: line 2 says that this organisation is health_trust"]


def test_a_site_in_two_places_names_both_lines() -> None:
    reading = read_inventory(file_of(row(code="S-1"), row(code="S-2", town="Bodø"), row(code="S-3", latitude="60")))
    assert reasons(reading) == [
        "line 3: town: line 2 says Tromsø for this site",
        "line 4: latitude: line 2 says 69.68 for this site",
    ]


def test_sites_of_one_name_at_two_organisations_are_two() -> None:
    other = row(code="S-2", organisation="Tromsø kommune", organisation_kind="municipality", latitude="69.64")
    assert read_inventory(file_of(row(), other)).faults == ()


def test_a_driver_needs_an_address() -> None:
    assert reasons(read_inventory(file_of(row(control_url="")))) == [
        "line 2: control_url: is empty, but the control driver needs it"
    ]


def test_a_studio_without_equipment_needs_no_addresses() -> None:
    bare = dict.fromkeys(COLUMNS[COLUMNS.index("equipment") :], "")
    assert read_inventory(file_of(row(**bare))).faults == ()


def test_credentials_must_exist_and_retired_studios_stay_retired() -> None:
    reading = read_inventory(file_of(row(snmp_credential="public", control_credential="codec"), row(code="S-2")))
    faults = faults_against(reading.rows, credentials={"codec": False}, retired={"s-2"})
    assert faults == [
        Fault(2, "snmp_credential: there is no credential named “public”"),
        Fault(3, "code: the studio S-2 is retired"),
    ]


@settings(deadline=None)
@given(st.binary() | st.builds(lambda tail: file_of(row()) + tail, st.binary()))
@example(b"\x00")
@example(file_of() + b'"' * 200_000)
@example(file_of() + b"," * 300_000)
def test_any_bytes_are_read_without_an_error(content: bytes) -> None:
    reading = read_inventory(content)
    assert all(str(fault).encode() for fault in reading.faults)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(COLUMNS), st.text()))
@example({"code": "\r"})
def test_any_cells_are_good_or_have_a_reason(changes: dict[str, str]) -> None:
    reading = read_inventory(file_of({**GOOD, **changes}))
    assert (2 in reading.rows) != bool(reading.faults)
