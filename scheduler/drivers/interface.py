"""What the scheduler asks of equipment that sets up calls. A new kind of equipment is one more file beside this one."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from devices.xapi_panel import Prompt
from scheduler.leases import ORDER
from scheduler.rules import LiveCall

# Seconds that one order may take, its answer included: it must fit into a lease.
DEADLINE = ORDER.total_seconds()


class Driver(Protocol):
    """One piece of equipment, and one room in it where it has several. Every method is one exchange that ends within
    DEADLINE, and raises DeviceError; from any thread."""

    def session(self) -> AbstractContextManager[None]:
        """What this thread asks inside the block may share what it costs to sign in. Raises nothing by itself."""
        ...

    def open(self) -> None:
        """Make ready what calls need before the first of them; again does no harm. Nothing, for most."""

    def status(self) -> list[LiveCall]:
        """The calls that are up or on their way."""
        ...

    def dial(self, address: str, token: str) -> str:
        """Order a call; its id once accepted, which is before anybody answers. `token` marks it as ours.

        Ambiguous when it is not known whether the order arrived. Any other error: there is no call.
        """
        ...

    def hang_up(self, call_id: str) -> None:
        """End a call. One that is not there any more has been ended: no error."""

    def ending(self, call_id: str) -> str:
        """Why a call that is gone has ended: "hung-up" where a person did it, another word where it is known, or
        nothing."""
        ...

    def close(self) -> None:
        """Put away what `open` made ready; again does no harm."""


class Panel(Protocol):
    """The screen and the switches in a studio, where its equipment has them. Errors and time as for Driver."""

    def mute(self, muted: bool, *, in_call: bool) -> None:
        """Switch microphones and camera off, or on again; done only when the equipment says so. Without `in_call` only
        where nobody is in a call, else Busy."""

    def is_muted(self) -> bool | None:
        """Whether both are off; None where one is."""
        ...

    def prompt(self, prompt: Prompt, answers_to: str) -> None:
        """Ask for a press, which is posted to the web address `answers_to`."""

    def alert(self, title: str, text: str, seconds: int) -> None:
        """Show a message for so long."""


@dataclass(frozen=True)
class Station:
    """Where calls end: a studio's endpoint, a guest, or a room on a bridge. `driver`: how it is steered, if it can be.
    `studio_id` is 0 where it stands in no studio."""

    studio_id: int
    address: str
    driver: Driver | None
    panel: Panel | None = None
