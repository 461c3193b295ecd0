"""All addresses at which programs book."""

from studios.booking.api import (
    availability,
    bridges,
    conferences,
    emergencies,
    series,
    series_edits,
    swaps,
    terms,
    times,
    waiting,
)

BLUEPRINTS = (
    conferences.blueprint,
    emergencies.blueprint,
    series_edits.blueprint,
    series.blueprint,
    times.blueprint,
    availability.blueprint,
    waiting.blueprint,
    swaps.blueprint,
    terms.blueprint,
    bridges.blueprint,
)
