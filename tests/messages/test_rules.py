"""What may stand in a message, and when it is tried again."""

from datetime import timedelta

import pytest

from messages.rules import Step, Verdict, delay, mailbox, masked, message_id, one_line, verdict


@pytest.mark.parametrize(
    ("address", "sent_to"),
    [
        ("eva@example.org", "eva@example.org"),
        ("o'neil+test@sykehus.example.org", "o'neil+test@sykehus.example.org"),
        ("post@blåbær.no", "post@xn--blbr-roah.no"),
        ("blåbær@example.org", None),
        ("eva..x@example.org", None),
        ("eva@example..org", None),
        ("eva@" + "x" * 64 + ".org", None),
        ("eva@example.org\n", None),
        ("eva@example.org,ola@example.org", None),
    ],
)
def test_an_address_is_one_mailbox_in_a_form_that_every_server_takes(address, sent_to):
    assert mailbox(address) == sent_to


def test_the_pause_doubles_from_a_minute_to_an_hour_and_is_spread():
    minutes = [delay(attempts, 0.0) / timedelta(minutes=1) for attempts in range(1, 9)]
    assert minutes == [1, 2, 4, 8, 16, 32, 48, 48]
    assert delay(1, 1.0) == timedelta(seconds=75)
    assert delay(5000, 1.0) == timedelta(hours=1)


def test_a_key_has_one_message_id():
    assert message_id("a", "example.org") == message_id("a", "example.org") != message_id("b", "example.org")


def test_addresses_are_cut_for_logs():
    assert masked("550 <eva.olsen@example.org> unknown") == "550 <e…@example.org> unknown"


def test_a_header_holds_one_line():
    assert one_line("a\r\nBcc: b@c.d\x0b\u2028\x00e\tf") == "a Bcc: b@c.d e f"


@pytest.mark.parametrize(
    ("step", "code", "meaning"),
    [
        (Step.RECIPIENT, 550, Verdict.NEVER),
        (Step.RECIPIENT, 552, Verdict.NEVER),
        (Step.RECIPIENT, 450, Verdict.LATER),
        (Step.CONTENT, 554, Verdict.NEVER),
        (Step.CONTENT, 250, Verdict.SERVER),
        (Step.SENDER, 450, Verdict.SERVER),
        (Step.SENDER, 552, Verdict.NEVER),
        (Step.RECIPIENT, 535, Verdict.SERVER),
    ],
)
def test_a_reply_means_something_for_the_message_or_for_all(step, code, meaning):
    assert verdict(step, code) is meaning
