"""The figures as CSV, for spreadsheets: the same days give the same bytes.

Fields are separated by semicolons and the file begins with a byte order mark, since Norwegian Excel opens nothing else
in columns and with its letters. Times are whole minutes: a decimal sign would be read differently from country to
country. Column names are fixed words, like those of the inventory's files.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator
from datetime import date

from reports import figures
from reports.figures import Figures, Subject

BYTE_ORDER_MARK = "\ufeff"
COUNTS = ("booked", "held", "failed", "no_shows", "cancelled", "running", "late", "as_booked")
MINUTES = ("booked", "used", "healthy", "faulty", "maintenance", "unknown")
HEADER = (
    *("first_day", "last_day", "level", "region", "kind", "code", "name"),
    *COUNTS,
    *(f"{name}_minutes" for name in MINUTES),
    *("studios", "studios_used"),
)
# What spreadsheets take for the beginning of a formula, in both widths (OWASP, CSV injection).
FORMULA = "=+-@＝＋－＠"


def csv_of(first: date, last: date) -> str:
    """One header, then the network, its regions, organisations and studios."""
    text = io.StringIO()
    text.write(BYTE_ORDER_MARK)
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    for level, subject in _subjects(first, last):
        who = (subject.region, subject.kind, subject.code, subject.name)
        writer.writerow([first, last, level, *map(harmless, who), *_numbers(subject.figures)])
    return text.getvalue()


def file_name(first: date, last: date) -> str:
    return f"studionett-{first}.csv" if first == last else f"studionett-{first}-{last}.csv"


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before what might be one.

    Whatever cannot be seen at the beginning is looked past, since spreadsheets do so too.
    """
    seen = next((letter for letter in text if not _is_unseen(letter)), "")
    return f"'{text}" if (seen and seen in FORMULA) or text[:1] in ("\t", "\r", "\n") else text


def _subjects(first: date, last: date) -> Iterator[tuple[str, Subject]]:
    studios = figures.studios(first, last)
    yield "network", Subject(0, "", "", "", "", figures.network(first, last, all_studios=studios))
    yield from (("region", region) for region in figures.regions(first, last, studios))
    yield from (("organisation", organisation) for organisation in figures.organisations(first, last))
    yield from (("studio", studio) for studio in studios)


def _numbers(of: Figures) -> list[int]:
    counts = [getattr(of, name) for name in COUNTS]
    minutes = [whole_minutes(getattr(of, f"{name}_seconds")) for name in MINUTES]
    return [*counts, *minutes, of.studios, of.studios_used]


def whole_minutes(seconds: int) -> int:
    """Rounded, half a minute up."""
    return (seconds + 30) // 60


def _is_unseen(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf")
