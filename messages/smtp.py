"""One connection to a mail server, with a deadline over each exchange however slowly its bytes come.

smtplib bounds each read; a server that sends a byte now and then would hold a sender beyond its lease. Here every
socket operation gets what is left of the exchange's time.
"""

import io
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from config import MailServer, MailTls
from messages.rules import ERROR_LENGTH, Step, Verdict, masked, one_line, verdict

CONNECT = 30.0  # seconds: to connect, to encrypt and to sign in
QUIT = 2.0
CHUNK = 16_384  # bytes


class MailFailed(Exception):
    """A mail was not taken; the message says why, without passwords and whole addresses."""

    def __init__(self, reason: str, verdict: Verdict) -> None:
        super().__init__(masked(one_line(reason, ERROR_LENGTH)))
        self.verdict = verdict


class Connection:
    """A server that is ready to take mail."""

    def __init__(self, smtp: "_Smtp", name: str) -> None:
        self._smtp = smtp
        self._name = name

    def hand_over(self, sender: str, recipient: str, mail: bytes, ends_at: float) -> None:
        """Give the server one mail, by `ends_at` of the monotonic clock. Raises MailFailed."""
        self._smtp.ends_at = ends_at
        try:
            self._smtp.sendmail(sender, [recipient], mail)
        except smtplib.SMTPRecipientsRefused as error:
            [(code, text)] = error.recipients.values()
            raise _refused(Step.RECIPIENT, code, text) from None
        except smtplib.SMTPSenderRefused as error:
            raise _refused(Step.SENDER, error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPResponseException as error:
            raise _refused(Step.CONTENT, error.smtp_code, error.smtp_error) from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailFailed(_lost(self._name, self._smtp, error), Verdict.SERVER) from None

    def quit(self) -> None:
        self._smtp.ends_at = monotonic() + QUIT
        with suppress(smtplib.SMTPException, OSError):
            self._smtp.quit()
        self._smtp.close()


@contextmanager
def connected(server: MailServer, ca: str = "") -> Iterator[Connection]:
    """A connection, encrypted and signed in as the settings say. Raises MailFailed where that is not to be had."""
    name = f"The mail server {server.host}:{server.port}"
    smtp = _smtp(server, ca, name)
    try:
        _prepare(smtp, server, ca, name)
    except BaseException:
        smtp.close()
        raise
    connection = Connection(smtp, name)
    try:
        yield connection
    finally:
        connection.quit()


def _smtp(server: MailServer, ca: str, name: str) -> "_Smtp":
    ends_at = monotonic() + CONNECT
    try:
        if server.tls is MailTls.IMPLICIT:
            return _SmtpOverTls(server.host, server.port, ends_at=ends_at, context=_verification(ca))
        return _Smtp(server.host, server.port, ends_at=ends_at)
    except ssl.SSLError as error:
        raise MailFailed(f"{name} cannot be trusted: {_tls_reason(error)}.", Verdict.SERVER) from None
    except smtplib.SMTPResponseException as error:
        raise MailFailed(f"{name} refuses: {_said(error.smtp_code, error.smtp_error)}.", Verdict.SERVER) from None
    except (smtplib.SMTPServerDisconnected, TimeoutError):
        raise MailFailed(f"{name} does not answer as a mail server.", Verdict.SERVER) from None
    except (OSError, UnicodeError) as error:  # a host name that is none at all is the latter
        reason = getattr(error, "strerror", None) or error
        raise MailFailed(f"{name} cannot be reached: {reason}.", Verdict.SERVER) from None


def _prepare(smtp: "_Smtp", server: MailServer, ca: str, name: str) -> None:
    try:
        smtp.ehlo_or_helo_if_needed()
        if server.tls is MailTls.STARTTLS:
            smtp.starttls(context=_verification(ca))
            smtp.ehlo()
        if server.user:
            smtp.login(server.user, server.password)
    except ssl.SSLError as error:
        raise MailFailed(f"{name} cannot be trusted: {_tls_reason(error)}.", Verdict.SERVER) from None
    except smtplib.SMTPAuthenticationError as error:
        said = _said(error.smtp_code, error.smtp_error)
        raise MailFailed(f"{name} does not accept the user name and password: {said}.", Verdict.SERVER) from None
    except smtplib.SMTPNotSupportedError:
        is_plain = server.tls is MailTls.STARTTLS and not isinstance(smtp.sock, ssl.SSLSocket)
        missing = "STARTTLS" if is_plain else "sign-in"
        raise MailFailed(f"{name} offers no {missing}, which the settings demand.", Verdict.SERVER) from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise MailFailed(_lost(name, smtp, error), Verdict.SERVER) from None


def _verification(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise MailFailed(f"STUDIONETT_SMTP_CA is no readable file of certificates: {error}.", Verdict.SERVER) from None


def _refused(step: Step, code: int, text: bytes | str) -> MailFailed:
    return MailFailed(f"The {step.value} is refused: {_said(code, text)}.", verdict(step, code))


def _said(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {words}".strip().rstrip(".")


def _lost(name: str, smtp: "_Smtp", error: Exception) -> str:
    if monotonic() >= smtp.ends_at:
        return f"{name} did not answer in time."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{name} refuses: {_said(error.smtp_code, error.smtp_error)}."
    if isinstance(error, smtplib.SMTPServerDisconnected) or not isinstance(error, smtplib.SMTPException | ValueError):
        return f"{name} broke the connection off."
    return f"{name} answers what cannot be understood: {error if isinstance(error, OSError) else 'no mail protocol'}."


def _tls_reason(error: ssl.SSLError) -> str:
    return str(getattr(error, "verify_message", None) or error.reason or "no encryption could be agreed on")


class _Smtp(smtplib.SMTP):
    """smtplib's client over a socket that heeds `ends_at`."""

    def __init__(self, host: str, port: int, *, ends_at: float, **options: Any) -> None:
        self.ends_at = ends_at
        super().__init__(host, port, timeout=self.left(), **options)

    def left(self) -> float:
        """What one socket operation may take, in seconds."""
        seconds = self.ends_at - monotonic()
        if seconds <= 0:
            raise TimeoutError("the exchange took too long")
        return seconds

    def send(self, s: Any) -> None:
        data = s.encode(self.command_encoding) if isinstance(s, str) else bytes(s)
        for start in range(0, len(data), CHUNK):
            if self.sock:
                self.sock.settimeout(self.left())
            super().send(data[start : start + CHUNK])

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock:
            self.file = io.BufferedReader(_Received(self))
        return super().getreply()


class _SmtpOverTls(_Smtp, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


class _Received(io.RawIOBase):
    """What the server sends, each read within the time that is left."""

    def __init__(self, smtp: _Smtp) -> None:
        self._smtp = smtp

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._smtp.sock:
            return 0
        self._smtp.sock.settimeout(self._smtp.left())
        return self._smtp.sock.recv_into(buffer)
