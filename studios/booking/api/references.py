"""The part of an address that names a conference."""

from werkzeug.routing import BaseConverter


class ReferenceConverter(BaseConverter):
    """Anything but the word at which emergencies are booked: that address takes no other method."""

    regex = r"(?!emergency\Z)[^/]+"
    part_isolating = True
