"""A real mail server on loopback that behaves as a test wants it to."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from config import MailServer, MailTls

SENDER = Address("Studionett", addr_spec="studionett@example.org")
DROP, HANG = "drop the connection", "never answer"


@dataclass
class Post:
    """What the server does and what it got. Change it while it runs: `recipients` and `content` are replies such as
    "550 no such person", DROP or HANG; what is answered with HANG is kept as received, for a server may have it."""

    port: int = 0
    tls: MailTls = MailTls.NONE
    user: str = ""
    password: str = ""
    recipients: dict[str, str] = field(default_factory=dict)
    sender: str = ""
    content: str = ""
    greeting: str = ""
    connections: int = 0
    taken: list[bytes] = field(default_factory=list)

    @property
    def server(self) -> MailServer:
        return MailServer("127.0.0.1", self.port, self.tls, self.user, self.password)

    @property
    def settings(self) -> dict[str, Any]:
        """For `settings_for`, or to change those of a running application."""
        return {"smtp_url": self.server, "mail_from": SENDER}

    @property
    def environment(self) -> dict[str, str]:
        """For processes of their own."""
        return {
            "STUDIONETT_SMTP_URL": f"smtp://127.0.0.1:{self.port}",
            "STUDIONETT_MAIL_FROM": str(SENDER),
        }

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(content, policy=POLICY) for content in self.taken]  # type: ignore[arg-type, misc]

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]

    async def handle_MAIL(self, server: SMTP, _session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.sender:
            return self.sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:
        reply = await self._reply(server, self.recipients.get(address, ""))
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:
        if not self.content or self.content == HANG:
            self.taken.append(envelope.content)
        return await self._reply(server, self.content)

    async def _reply(self, server: SMTP, wanted: str) -> str:
        if wanted == HANG:
            await asyncio.Event().wait()
        if wanted == DROP:
            server.transport.abort()
        return wanted or "250 OK"


@contextmanager
def post(port: int = 0, *, certificate: Path | None = None, **changes: Any) -> Iterator[Post]:
    """A running server. With `tls` it needs a `certificate` (see `certificate_in`)."""
    found = Post(**changes)
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    context = _context(certificate) if certificate else None
    options = _options(found, context)
    serving = loop.create_server(
        lambda: _Protocol(found, options, loop),
        "127.0.0.1",
        port,
        ssl=context if found.tls is MailTls.IMPLICIT else None,
    )
    server = asyncio.run_coroutine_threadsafe(serving, loop).result(5)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)


async def _end(server: asyncio.Server) -> None:
    server.close()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


def _options(found: Post, context: ssl.SSLContext | None) -> dict[str, Any]:
    options: dict[str, Any] = {"enable_SMTPUTF8": False, "hostname": "mail.example.org", "timeout": 60}
    if found.tls is MailTls.STARTTLS and context:
        options |= {"tls_context": context, "require_starttls": True}
    if found.user:
        expected = (found.user.encode(), found.password.encode())

        def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
            return AuthResult(success=(data.login, data.password) == expected, handled=False)

        options |= {"authenticator": check, "auth_required": True, "auth_require_tls": False}
    return options


class _Protocol(SMTP):
    def __init__(self, found: Post, options: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(found, loop=loop, **options)
        self._post = found

    def connection_made(self, transport: Any) -> None:
        self._post.connections += 1
        if self._post.greeting == HANG:
            return
        if self._post.greeting == DROP:
            transport.abort()
            return
        super().connection_made(transport)


@contextmanager
def dripping(every: float = 0.02) -> Iterator[MailServer]:
    """A server that sends a byte now and then, for ever."""

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"2")
            await asyncio.sleep(every)

    with _speaking(drip) as server:
        yield server


def certificate_in(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example.org")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = folder / "mail.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@contextmanager
def reciting(*replies: bytes) -> Iterator[MailServer]:
    """A server that says these replies one after the other, whatever it is told."""

    async def recite(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            writer.write(reply + b"\r\n")
            await reader.readline()
        writer.close()

    with _speaking(recite) as server:
        yield server


@contextmanager
def _speaking(speak: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> Iterator[MailServer]:
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(speak, "127.0.0.1", 0), loop).result(5)
    try:
        yield MailServer("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
