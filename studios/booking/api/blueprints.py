"""All addresses at which programs book."""

from studios.booking.api import availability, conferences, series, series_edits, times

BLUEPRINTS = (
    conferences.blueprint,
    series_edits.blueprint,
    series.blueprint,
    times.blueprint,
    availability.blueprint,
)
