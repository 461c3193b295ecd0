"""All addresses at which programs book."""

from studios.booking.api import availability, conferences, times

BLUEPRINTS = (conferences.blueprint, availability.blueprint, times.blueprint)
