"""All addresses at which programs book."""

from studios.booking.api import actions, availability, closures, conferences, drafts, studios, times

BLUEPRINTS = tuple(part.blueprint for part in (conferences, actions, times, availability, studios, closures, drafts))
