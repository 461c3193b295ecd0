from datetime import UTC, datetime

from flask import Flask

from models import write
from studios.inventory.exporting import export_csv
from studios.inventory.importing import import_inventory
from studios.inventory.rules import COLUMNS, read_inventory
from tests import factories
from tests.studios.inventory.files import file_of, row

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def test_an_empty_inventory_is_a_header(app: Flask) -> None:
    assert export_csv() == ",".join(COLUMNS) + "\n"


def test_studios_come_in_the_order_of_their_codes_whatever_the_database_sorts_by(app: Flask) -> None:
    lines = [row(code=code, name=f"Studio {9 - n}") for n, code in enumerate(("A-1", "B", "a1", "Å", "ä"))]
    write(lambda: import_inventory(read_inventory(file_of(*reversed(lines))), NOW))
    assert export_csv().encode() == file_of(*lines)


def test_quotes_commas_and_formulas_come_through(app: Flask) -> None:
    content = file_of(row(name='=1+1,"Studio"', equipment="a,b;“c”"))
    write(lambda: import_inventory(read_inventory(content), NOW))
    assert export_csv().encode() == content


def test_retired_studios_are_left_out_and_bare_ones_are_not(app: Flask) -> None:
    place = factories.site()
    factories.studio(place, code="OLD", retired_at=NOW)
    factories.studio(place, code="BARE")
    lines = export_csv().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["BARE"]
    assert lines[1].endswith(",,,,,,161,2c,")
