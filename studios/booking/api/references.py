"""References of conferences: as the part of an address that names one, and of one that need not be loaded."""

from werkzeug.routing import BaseConverter

from models.booking import REFERENCE_BASE, REFERENCE_PREFIX


class ReferenceConverter(BaseConverter):
    """Anything but the word at which emergencies are booked: that address takes no other method."""

    regex = r"(?!emergency\Z)[^/]+"
    part_isolating = True


def reference_of(conference_id: int) -> str:
    return f"{REFERENCE_PREFIX}{REFERENCE_BASE + conference_id}"
