"""What a codec tells of what is plugged in, of its registration and of what its calls lose, in the forms of the
reference guides and in worse ones."""

from collections.abc import Callable, Iterator

import pytest

from devices.errors import Unauthorised
from devices.xapi import Codec, Peripherals, XapiClient
from devices.xapi_peripherals import Media, cameras_of, media_of, microphones_of, registered_of
from devices.xapi_xml import parse
from tests.devices import codec as play

SX80 = b"""<?xml version="1.0"?>
<Status product="Cisco Codec" version="ce9.15.3" apiVersion="4">
  <Cameras item="1">
    <Camera item="1" maxOccurrence="n"><Connected item="1">True</Connected><Model item="1">Precision 60</Model></Camera>
    <Camera item="2" maxOccurrence="n"><Connected item="1">False</Connected><Model item="1"/></Camera>
    <Camera item="3" maxOccurrence="n" ghost="True"><Connected item="1">True</Connected></Camera>
    <SpeakerTrack item="1"><Status item="1">Inactive</Status></SpeakerTrack>
  </Cameras>
</Status>"""
MICROPHONES = b"""<Status><Audio><Input><Connectors>
  <Microphone item="1"><ConnectionStatus>Connected</ConnectionStatus></Microphone>
  <Microphone item="2"><ConnectionStatus>NotConnected</ConnectionStatus></Microphone>
  <Microphone item="3"><ConnectionStatus>Unknown</ConnectionStatus></Microphone>
  <HDMI item="1"><Mute>Off</Mute></HDMI>
</Connectors></Input><Microphones><Mute>Off</Mute></Microphones></Audio></Status>"""


@pytest.fixture
def played() -> Iterator[play.PlayedCodec]:
    with play.playing() as played:
        yield played


@pytest.fixture
def client() -> Iterator[XapiClient]:
    with XapiClient(connect=1, read=0.5) as client:
        yield client


def by_location(**answers: bytes | play.Behaviour) -> play.Behaviour:
    """A codec that answers each part of the tree as said, by the last word of the location."""

    def behave(handler: play.Handler) -> None:
        answer = answers.get(handler.path.rpartition("/")[2], b"<Status/>")
        return play.answering(answer)(handler) if isinstance(answer, bytes) else answer(handler)

    return behave


def test_each_socket_is_told_by_its_number_and_what_was_just_taken_away_is_not() -> None:
    assert cameras_of(parse(SX80)) == {"1": True, "2": False}


def test_a_socket_that_cannot_tell_is_left_out() -> None:
    assert microphones_of(parse(MICROPHONES)) == {"1": True, "2": False}


@pytest.mark.parametrize(
    "nothing",
    [
        b"<Status/>",
        b"<EmptyResult/>",
        b'<Status><Status status="Error"><Reason>No match on address expression</Reason></Status></Status>',
        b"<Status><Cameras><Camera item='1'/></Cameras></Status>",
        b"<Status><Cameras><Camera item='1'><Connected>perhaps</Connected></Camera></Cameras></Status>",
        b"no XML",
        b"",
    ],
)
def test_software_that_tells_nothing_of_it_is_no_fault(
    played: play.PlayedCodec, client: XapiClient, nothing: bytes
) -> None:
    played.paths["/getxml"] = by_location(Call=play.ONE_CALL, Cameras=nothing, Connectors=MICROPHONES)
    seen = client.status(played.codec, peripherals=True)
    assert len(seen.calls) == 1
    assert seen.peripherals == Peripherals({}, {"1": True, "2": False})


@pytest.mark.parametrize("lost", [play.hanging_up, play.cut, play.silent, play.answering(b"", 503)])
def test_peripherals_that_get_lost_leave_the_calls_and_end_the_session(
    played: play.PlayedCodec, client: XapiClient, lost: Callable[[play.Handler], None]
) -> None:
    played.paths["/getxml"] = by_location(Call=play.ONE_CALL, Cameras=lost)
    seen = client.status(played.codec, peripherals=True, deadline=3)
    assert (len(seen.calls), seen.peripherals) == (1, None)
    assert played.sessions == set()


def test_what_was_not_asked_for_is_not_read(played: play.PlayedCodec, client: XapiClient) -> None:
    client.status(played.codec, peripherals=False)
    client.status(played.codec, peripherals=True)
    assert (played.begun, [path for path, _ in played.asked if "getxml" in path]) == (
        2,
        [
            "/getxml?location=/Status/Call",
            "/getxml?location=/Status/MediaChannels",
            "/getxml?location=/Status/Call",
            "/getxml?location=/Status/Cameras",
            "/getxml?location=/Status/Audio/Input/Connectors",
            "/getxml?location=/Status/SIP",
            "/getxml?location=/Status/MediaChannels",
        ],
    )


def test_a_wrong_password_is_still_an_error(played: play.PlayedCodec, client: XapiClient) -> None:
    with pytest.raises(Unauthorised):
        client.status(Codec(played.codec.url, "studio", "feil"), peripherals=True)


def channels(*netstats: str) -> bytes:
    """Each as `Incoming 12 88 30`: direction, packets lost and come, jitter in milliseconds."""
    told = ""
    for number, netstat in enumerate(netstats, start=1):
        direction, lost, packets, jitter = netstat.split()
        values = f"<Jitter>{jitter}</Jitter><Loss>{lost}</Loss><Packets>{packets}</Packets>"
        told += f"<Channel item='{number}'><Direction>{direction}</Direction><Netstat>{values}</Netstat></Channel>"
    return f"<Status><MediaChannels><Call item='3'>{told}</Call></MediaChannels></Status>".encode()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (channels("Incoming 12 88 30", "Incoming 0 100 2"), Media(6.0, 30.0)),
        (channels("Incoming 0 100 2", "Outgoing 50 50 90"), Media(0.0, 2.0)),
        (channels("Incoming 0 0 0"), None),
        (channels("Incoming many some none"), None),
        (channels("Incoming 1 9999999999999999999999 3"), Media(100.0, 3.0)),
        (b"<Status/>", None),
    ],
)
def test_what_comes_in_counts_and_nonsense_does_not(told: bytes, expected: Media | None) -> None:
    assert media_of(parse(told)) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["Registered"], True),
        (["Failed"], False),
        (["Failed", "Registered"], True),
        (["Inactive"], None),
        (["Registering"], None),
        ([], None),
    ],
)
def test_a_codec_without_a_server_is_not_one_that_its_server_does_not_know(
    words: list[str], expected: bool | None
) -> None:
    told = "".join(f"<Registration item='1'><Status>{word}</Status></Registration>" for word in words)
    assert registered_of(parse(f"<Status><SIP>{told}</SIP></Status>".encode())) is expected
