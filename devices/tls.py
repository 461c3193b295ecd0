"""Whose certificates we trust when we speak to equipment."""

import ssl

from config import ConfigurationError, Settings


def verification(settings: Settings) -> ssl.SSLContext | bool:
    """For `XapiClient(verify=...)`: the own authority if one is set, the system's, or none at all."""
    if not settings.control_verify:
        return False
    if not settings.control_ca:
        return True
    try:
        return ssl.create_default_context(cafile=settings.control_ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"STUDIONETT_CONTROL_CA is no readable file of certificates: {error}.") from None
