"""What codecs post by themselves to whoever registered for it (xAPI, HttpFeedback)."""

import asyncio
import logging

import httpx

from simulation.studio import SimulatedStudio
from simulation.xapi_documents import press_event, to_bytes

PRESSES = "/Event/UserInterface/Message/Prompt/Response"
PATIENCE_S = 5

log = logging.getLogger(__name__)


class Feedback:
    """Posts the presses of all studios; one that cannot be delivered is lost, as it is with real codecs."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[None]] = set()

    def follow(self, studio: SimulatedStudio) -> None:
        studio.on_press = lambda feedback_id, option: self._post(studio, feedback_id, option)

    def _post(self, studio: SimulatedStudio, feedback_id: str, option: int) -> None:
        body = to_bytes(press_event(studio, feedback_id, option))
        for url, expressions in studio.feedback.values():
            if any(PRESSES.startswith(expression) for expression in expressions):
                task = asyncio.get_running_loop().create_task(_send(url, body))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)


async def _send(url: str, body: bytes) -> None:
    try:
        async with httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False) as client:
            await client.post(url, content=body, headers={"Content-Type": "text/xml"})
    except httpx.HTTPError as error:
        log.info("A press was not delivered to %s: %r", url, error)
