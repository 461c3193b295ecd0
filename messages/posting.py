"""Posting what waits in the outbox for programs: at least once, signed, and again until it is taken.

The receiver proves with its copy of the secret that a message is ours and fresh: `Studionett-Signature: t=SECONDS,v1=
HEX`, the HMAC-SHA-256 of the time, a full stop and the body. `Studionett-Message` is the same at every attempt.
"""

import hmac
import os
import socket
import time
from functools import partial
from secrets import token_hex

import httpx
import structlog

from config import settings
from devices.deadline import within
from devices.errors import DeviceError
from devices.exchange import new_client
from devices.tls import verification
from messages.rules import Verdict
from messages.sending import POSTS, Claimed, claim, is_any_due, keep_failure, keep_sent
from messages.smtp import MailFailed
from models import Credential, SecretUnreadable, db, write

DEADLINE = 10.0  # seconds
BATCH = 20

log = structlog.get_logger()


def post_due() -> int:
    """Post what is due, a batch at most; returns how many were taken. Cheap when nothing is due."""
    if not is_any_due(POSTS):
        return 0
    owner = f"{socket.gethostname()[:40]}-{os.getpid()}-{token_hex(6)}"
    done = 0
    with new_client(verification(settings()), DEADLINE, DEADLINE) as client:
        for _ in range(BATCH):
            claimed = write(partial(claim, owner, POSTS))
            if claimed is None:
                break
            done += _post(client, claimed)
    return done


def _post(client: httpx.Client, claimed: Claimed) -> bool:
    try:
        _hand_over(client, claimed, _secret(claimed))
    except MailFailed as failure:
        log.warning("message not posted", message=claimed.id, reason=str(failure))
        write(partial(keep_failure, claimed, failure))
        return False
    write(partial(keep_sent, claimed.id))
    log.info("message posted", message=claimed.id)
    return True


def _secret(claimed: Claimed) -> str:
    """Read before anything is sent: no transaction is open while others are waited for."""
    credential = db.session.get(Credential, claimed.signed_with_id)
    try:
        return credential.open() if credential else ""
    except SecretUnreadable as error:
        raise MailFailed(str(error), Verdict.SERVER) from None
    finally:
        db.session.rollback()


def _hand_over(client: httpx.Client, claimed: Claimed, secret: str) -> None:
    body = claimed.body.encode()
    headers = {
        "Content-Type": "application/json",
        "Studionett-Message": claimed.key,
        "Studionett-Signature": signature(secret, body, int(time.time())),
    }
    try:
        with within(DEADLINE):
            status = client.post(claimed.recipient, content=body, headers=headers).status_code
    except (httpx.HTTPError, httpx.InvalidURL, DeviceError) as error:
        raise MailFailed(str(error) or type(error).__name__, Verdict.SERVER) from None
    if status == httpx.codes.GONE:
        raise MailFailed("The receiver is gone for good (HTTP 410).", Verdict.NEVER)
    if not httpx.codes.is_success(status):
        raise MailFailed(f"The receiver answered HTTP {status}.", Verdict.SERVER)


def signature(secret: str, body: bytes, seconds: int) -> str:
    """As the header tells it; `seconds` since 1970."""
    signed = hmac.digest(secret.encode(), f"{seconds}.".encode() + body, "sha256")
    return f"t={seconds},v1={signed.hex()}"
