"""Find studios by what people type. Pure.

Every word must stand somewhere in what is known of a studio, whole or in part, whatever its accents: "tromso",
"tromsoe" and "Tromsø" are the same word. Small enough to run over all studios in this process, which answers the same
on every database and needs no index to be kept.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

LONGEST_TEXT = 200
# How æ, ø and å are written by people who do not have them: first the usual way, then the others.
_SPELLINGS = (
    str.maketrans({"æ": "ae", "ø": "o", "å": "a", "đ": "d", "ŧ": "t", "ŋ": "n"}),
    str.maketrans({"æ": "a", "ø": "oe", "å": "aa"}),
)
_WORD = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"(\d+)")

# What makes the better of two hits smaller.
Rank = tuple[bool, int, tuple[tuple[int, str], ...]]


class Entry(NamedTuple):
    """What a studio is found by; `about` is its site, place and organisation."""

    id: int
    code: str
    name: str
    about: tuple[str, ...]


def words_of(text: str) -> list[str]:
    """The words of what was typed, plain: small letters without accents, and digits."""
    return _words(text[:LONGEST_TEXT], 0)


def best(entries: Iterable[Entry], text: str, limit: int | None = None) -> list[int]:
    """The keys of the studios that have every word: those whose code or name begins so, then the closest hits."""
    words = words_of(text)
    hits = [(rank, entry.id) for entry in entries if (rank := _rank(entry, words)) is not None]
    return [id for _, id in sorted(hits)[:limit]]


@lru_cache(maxsize=20_000)
def in_order(code: str) -> tuple[tuple[int, str], ...]:
    """Sorts codes as people count: S-2 before S-10."""
    parts = _DIGITS.split(code.casefold())
    return tuple((int(part), "") if part.isdecimal() else (0, part) for part in parts)


def _rank(entry: Entry, words: Sequence[str]) -> Rank | None:
    known = _known(entry.code, entry.name, entry.about)
    if not all(word in known for word in words):
        return None
    typed = " ".join(words)
    begins = _plain(entry.code).startswith(typed) or _plain(entry.name).startswith(typed)
    looseness = sum(_looseness(word, known) for word in words)
    return not begins, looseness, in_order(entry.code)


def _looseness(word: str, known: str) -> int:
    """0 for a whole word, 1 for the beginning of one, 2 for a part within one."""
    if f" {word} " in known:
        return 0
    return 1 if f" {word}" in known else 2


@lru_cache(maxsize=20_000)
def _plain(text: str) -> str:
    return " ".join(_words(text, 0))


@lru_cache(maxsize=20_000)
def _known(code: str, name: str, about: tuple[str, ...]) -> str:
    """All words of a studio in all spellings, with blanks around each; 04 is known as 4 too."""
    words = {
        word: None
        for text in (code, name, *about)
        for spelling in range(len(_SPELLINGS))
        for word in _words(text, spelling)
    }
    numbers = {word.lstrip("0"): None for word in words if word.isdecimal() and word.lstrip("0")}
    return f" {' '.join({**words, **numbers})} "


def _words(text: str, spelling: int) -> list[str]:
    lower = unicodedata.normalize("NFC", text).lower().translate(_SPELLINGS[spelling])
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(letter))
    return _WORD.findall(plain)
