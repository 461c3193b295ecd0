"""All addresses at which programs book."""

from studios.booking.api import (
    actions,
    availability,
    bridges,
    closures,
    conferences,
    drafts,
    emergencies,
    series,
    series_edits,
    studios,
    swaps,
    terms,
    times,
    under_way,
    waiting,
)

PARTS = (
    conferences,
    actions,
    under_way,
    emergencies,
    series,
    series_edits,
    times,
    availability,
    waiting,
    swaps,
    studios,
    terms,
    closures,
    drafts,
    bridges,
)
BLUEPRINTS = tuple(part.blueprint for part in PARTS)
