"""A stored message as the mail that goes out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from messages.rules import file_name, message_id, one_line

# Servers that take seven bits only get what they take; lines are never too long.
POLICY = SMTP.clone(cte_type="7bit")
PLAIN_LENGTH = 66  # characters that fit on the subject's first line
CONTAINERS = {"multipart", "message"}


def compose(
    *,
    key: str,
    created_at: datetime,
    sender: Address,
    recipient: str,
    subject: str,
    body: str,
    attachments: Sequence[Mapping[str, str]] = (),
) -> EmailMessage:
    """The mail, with the same Date and Message-ID at every attempt. `recipient` is an ASCII address.

    Raises ValueError (or another error of the email package) where something can't be written as mail.
    """
    mail = EmailMessage(policy=POLICY)
    mail["Message-ID"] = message_id(key, sender.domain)
    mail["Date"] = created_at
    mail["From"] = sender
    mail["To"] = Address(addr_spec=recipient)
    _set_subject(mail, one_line(subject))
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(body)
    for attachment in attachments:
        _offer(mail, attachment)
    for attachment in attachments:
        _attach(mail, attachment["name"], attachment["type"], attachment["content"])
    return mail


def _set_subject(mail: EmailMessage, subject: str) -> None:
    """Encoded here: the email package loses a space between encoded words and reads `=?` as one (Python 3.11)."""
    if subject.isascii() and "=?" not in subject and len(subject) < PLAIN_LENGTH:
        mail["Subject"] = subject
    else:
        mail.set_raw("Subject", Header(subject, "utf-8", header_name="Subject").encode())


def _offer(mail: EmailMessage, attachment: Mapping[str, str]) -> None:
    """An invitation beside the text, as another form of it: that is where calendar programs look (RFC 6047). The file
    is attached too, for those that look there."""
    described = EmailMessage(policy=POLICY)
    described["Content-Type"] = one_line(attachment["type"])
    method = described["Content-Type"].params.get("method")
    if described.get_content_type() == "text/calendar" and method:
        mail.add_alternative(attachment["content"], subtype="calendar", params={"method": method})


def _attach(mail: EmailMessage, name: str, kind: str, content: str) -> None:
    """Attached byte for byte: line ends and byte order marks of a CSV or a calendar entry are part of it."""
    described = EmailMessage(policy=POLICY)
    described["Content-Type"] = one_line(kind)
    if described.get_content_maintype() in CONTAINERS:
        described.replace_header("Content-Type", "application/octet-stream")
    parameters = dict(described["Content-Type"].params)
    if described.get_content_maintype() == "text":
        parameters["charset"] = "utf-8"
    mail.add_attachment(
        content.encode(),
        maintype=described.get_content_maintype(),
        subtype=described.get_content_subtype(),
        filename=file_name(name),
        params=parameters,
    )
