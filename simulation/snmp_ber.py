"""The frame of an SNMP message in BER (ITU-T X.690), as far as RFC 3417 and RFC 3412 use it: bytes in, bytes out.

What is inside the frame, the request itself, is pysnmp's; the frame alone is read here in a tenth of the time.
"""

INTEGER, OCTETS, SEQUENCE = 0x02, 0x04, 0x30
# The longest number that SNMP knows in a frame has 32 bits.
LONGEST_NUMBER = 5


class BrokenError(ValueError):
    """These are no such octets."""


def whole(data: bytes, tag: int) -> bytes:
    """The content of `data`, which is one value of this tag and nothing else."""
    content, rest = first(data, tag)
    if rest:
        raise BrokenError("octets behind the end")
    return content


def first(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the first value, which has this tag, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise BrokenError(f"no value of tag {tag:#x}")
    length, start = data[1], 2
    if length > 0x7F:
        start += length & 0x7F
        if start == 2 or start > 6:  # the indefinite form, and lengths that no datagram has
            raise BrokenError("a length of another form")
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise BrokenError("cut off")
    return data[start : start + length], data[start + length :]


def number(content: bytes) -> int:
    if not 0 < len(content) <= LONGEST_NUMBER:
        raise BrokenError("no number")
    return int.from_bytes(content, "big", signed=True)


def value(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def integer(number: int) -> bytes:
    return value(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def octets(content: bytes) -> bytes:
    return value(OCTETS, content)


def sequence(*parts: bytes) -> bytes:
    return value(SEQUENCE, *parts)
