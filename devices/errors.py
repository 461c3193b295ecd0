"""What can go wrong between us and a piece of equipment, as one small family.

Callers decide by class (retry, ask first, call a technician), people read `sentence`. `detail` is what the equipment
or the network said, in its own words: for logs and the technician, never holding a secret.
"""

from typing import ClassVar

from flask_babel import LazyString, lazy_gettext

DETAIL_LIMIT = 200


class DeviceError(Exception):
    """The equipment didn't do what was asked. `code` is what timelines and tables store."""

    code: ClassVar[str] = "device-error"
    sentence: ClassVar[LazyString] = lazy_gettext("The equipment reported a fault.")

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = " ".join(detail.split())[:DETAIL_LIMIT]

    def __str__(self) -> str:
        return f"{self.sentence} ({self.detail})" if self.detail else str(self.sentence)


class Busy(DeviceError):
    """A call that isn't ours, here or at the far end: never hang it up, retry."""

    code = "busy"
    sentence = lazy_gettext("The equipment is busy with another call.")


class NoAnswer(DeviceError):
    """It rang, and nobody took it."""

    code = "no-answer"
    sentence = lazy_gettext("The far end did not answer the call.")


class Rejected(DeviceError):
    """The equipment understood and refused."""

    code = "rejected"
    sentence = lazy_gettext("The equipment refused the request.")


class UnknownNumber(DeviceError):
    """The address leads nowhere: dialling again won't help."""

    code = "unknown-number"
    sentence = lazy_gettext("The number or address is not known.")


class Unreachable(DeviceError):
    """No connection, or none that mattered: what was asked has certainly not been done."""

    code = "unreachable"
    sentence = lazy_gettext("The equipment cannot be reached.")


class Unauthorised(DeviceError):
    """Wrong user name or password: retrying only locks the account."""

    code = "unauthorised"
    sentence = lazy_gettext("The equipment does not accept our user name and password.")


class CapacityFull(DeviceError):
    """No more calls or ports at once."""

    code = "capacity-full"
    sentence = lazy_gettext("The equipment has no room for another call.")


class RateLimited(DeviceError):
    """Too many sessions or requests: come back later, and slower."""

    code = "rate-limited"
    sentence = lazy_gettext("The equipment has too many sessions open. Try again shortly.")


class NotReady(DeviceError):
    """What was asked for is not known there yet, or no more: a bridge tells its nodes of a room only by and by."""

    code = "not-ready"
    sentence = lazy_gettext("The bridge does not know the conference yet. Try again shortly.")


class Ambiguous(DeviceError):
    """The order was sent and its answer lost: it may have been carried out. Ask the status before sending it again."""

    code = "ambiguous"
    sentence = lazy_gettext("The equipment took the order but its answer was lost. Its state must be checked first.")


class BadAnswer(DeviceError):
    """The answer can't be read: no XML, too big, or without what it must contain."""

    code = "bad-answer"
    sentence = lazy_gettext("The equipment gave an answer that cannot be read.")
