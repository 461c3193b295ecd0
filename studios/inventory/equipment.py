"""What a studio can be equipped with: the keys that inventory files use, and what pages call them."""

from flask_babel import LazyString, lazy_gettext

EQUIPMENT: dict[str, LazyString] = {
    "document-camera": lazy_gettext("Document camera"),
    "examination-camera": lazy_gettext("Examination camera"),
    "examination-couch": lazy_gettext("Examination couch"),
    "hearing-loop": lazy_gettext("Hearing loop"),
    "height-adjustable-table": lazy_gettext("Height-adjustable table"),
    "second-screen": lazy_gettext("Second screen"),
    "stethoscope": lazy_gettext("Electronic stethoscope"),
    "tracking-camera": lazy_gettext("Camera that follows the speaker"),
    "wheelchair-access": lazy_gettext("Wheelchair access"),
    "whiteboard": lazy_gettext("Whiteboard"),
}


def equipment_name(key: str) -> str:
    """What pages call the piece; one that is not known is shown as the inventory file calls it."""
    return str(EQUIPMENT.get(key, key))
