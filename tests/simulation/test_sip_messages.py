import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.sip_messages import (
    MalformedMessage,
    SipRequest,
    SipResponse,
    address_of,
    display_name_of,
    parameter,
    parse,
    read_uri,
    response_to,
    split_list,
    to_bytes,
)

INVITE = (
    b"INVITE sip:OUS01@127.1.0.5 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 127.1.0.6:5060;branch=z9hG4bKabc;rport\r\n"
    b'From: "Bod\xc3\xb8, stort; rom" <sip:NLSH01@127.1.0.6>;tag=one\r\n'
    b"To: <sip:OUS01@127.1.0.5>\r\n"
    b"i: call-1@127.1.0.6\r\n"
    b"CSeq: 7 INVITE\r\n"
    b"Subject: first line\r\n  second line\r\n"
    b"l: 4\r\n\r\nbodyand more"
)


def test_a_request_is_read_with_compact_names_folded_lines_and_its_body():
    message = parse(INVITE)
    assert isinstance(message, SipRequest)
    assert (message.method, message.uri, message.cseq) == ("INVITE", "sip:OUS01@127.1.0.5", (7, "INVITE"))
    assert (message.branch, message.from_tag, message.to_tag) == ("z9hG4bKabc", "one", "")
    assert message.get("subject") == "first line second line"
    assert message.body == b"body"


def test_what_is_written_is_read_again_the_same():
    message = parse(INVITE)
    again = parse(to_bytes(message))
    assert isinstance(again, SipRequest)
    assert (again.start_line, again.body) == (message.start_line, message.body)
    assert [pair for pair in message.headers if pair[0] != "content-length"] == [
        pair for pair in again.headers if pair[0] != "content-length"
    ]


def test_a_response_echoes_the_way_back_and_adds_our_tag():
    request = parse(INVITE)
    assert isinstance(request, SipRequest)
    response = parse(to_bytes(response_to(request, 486, "ours")))
    assert isinstance(response, SipResponse)
    assert (response.status, response.reason) == (486, "Busy Here")
    assert (response.branch, response.from_tag, response.to_tag) == ("z9hG4bKabc", "one", "ours")
    assert (response.call_id, response.cseq) == (request.call_id, request.cseq)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\r\n\r\n",
        INVITE[:40],
        INVITE[:-13],
        INVITE.replace(b"l: 4", b"l: 400"),
        INVITE.replace(b"l: 4", b"l: -4"),
        INVITE.replace(b"l: 4", "l: ٤".encode()),
        INVITE.replace(b"CSeq: 7 INVITE", b"CSeq: 7 BYE"),
        INVITE.replace(b"CSeq: 7 INVITE", b"CSeq: 99999999999 INVITE"),
        INVITE.replace(b"SIP/2.0\r\nv", b"SIP/3.0\r\nv"),
        INVITE.replace(b";tag=one", b""),
        INVITE.replace(b"branch", b"bush"),
        INVITE.replace(b"To: <sip:OUS01@127.1.0.5>\r\n", b""),
        b"\xff" * 60_000,
    ],
)
def test_what_nobody_could_answer_is_malformed(broken: bytes):
    with pytest.raises(MalformedMessage):
        parse(broken)


@given(st.binary(max_size=300), st.integers(0, len(INVITE)), st.integers(0, 40))
def test_any_damage_to_a_message_is_read_or_malformed_and_nothing_else(noise: bytes, place: int, lost: int):
    try:
        parse(INVITE[:place] + noise + INVITE[place + lost :])
    except MalformedMessage:
        return


def test_parameters_inside_quotes_and_angle_brackets_are_not_the_headers_own():
    value = '"a;tag=quoted" <sip:x@127.1.0.1;tag=inside>;tag=real'
    assert parameter(value, "tag") == "real"
    assert address_of(value) == "sip:x@127.1.0.1;tag=inside"
    assert display_name_of(value) == "a;tag=quoted"


def test_a_list_is_parted_at_commas_outside_quotes_and_brackets():
    assert split_list('"a, b" <sip:x;y=1,2>, <sip:z>') == ['"a, b" <sip:x;y=1,2>', "<sip:z>"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:OUS01@127.1.0.5", ("OUS01", "127.1.0.5", 5060)),
        ("OUS01@127.1.0.5:5070", ("OUS01", "127.1.0.5", 5070)),
        ("127.1.0.5:5070", ("", "127.1.0.5", 5070)),
        ("sip:127.1.0.5;transport=udp", ("", "127.1.0.5", 5060)),
        ("sip:u:secret@host.example", ("u", "host.example", 5060)),
        ("sip:u@127.1.0.5:70000", None),
        ("sip:u@", None),
        ("", None),
    ],
)
def test_an_address_is_taken_apart_with_or_without_scheme_user_and_port(text, expected):
    found = read_uri(text)
    assert (found and (found.user, found.host, found.port)) == expected
