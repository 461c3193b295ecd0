"""Session descriptions (RFC 4566, RFC 3264): audio and video that nobody sends, so every stream is inactive."""

import re

CONTENT_TYPE = "application/sdp"
# The discard port: an accepted stream needs a port, and nothing is ever sent to it.
PORT = 9
PROFILES = {"RTP/AVP", "RTP/AVPF"}

_MEDIA = re.compile(r"m=(\S+) ([0-9]{1,5})(?:/[0-9]+)? (\S+) (\S+)( .*)?")


def offer(address: str) -> bytes:
    return _description(
        address,
        [
            f"m=audio {PORT} RTP/AVP 8 0",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:0 PCMU/8000",
            "a=inactive",
            f"m=video {PORT} RTP/AVP 97",
            "a=rtpmap:97 H264/90000",
            "a=inactive",
        ],
    )


def answer(offered: bytes, address: str) -> bytes | None:
    """Take the first format of each audio and video stream, refuse the others. None: nothing here can be taken."""
    lines = offered.decode("utf-8", "replace").splitlines()
    media: list[str] = []
    taken = 0
    for line in lines:
        found = _MEDIA.fullmatch(line)
        if found is None:
            continue
        if not _acceptable(found):
            media.append(f"m={found[1]} 0 {found[3]} {found[4]}")
            continue
        taken += 1
        media.append(f"m={found[1]} {PORT} {found[3]} {found[4]}")
        media += [each for each in lines if each.startswith(f"a=rtpmap:{found[4]} ")][:1]
        media.append("a=inactive")
    return _description(address, media) if taken else None


def _acceptable(found: re.Match[str]) -> bool:
    return found[1] in {"audio", "video"} and found[2] != "0" and found[3] in PROFILES


def _description(address: str, media: list[str]) -> bytes:
    head = ["v=0", f"o=codec 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0"]
    return ("\r\n".join([*head, *media]) + "\r\n").encode()
