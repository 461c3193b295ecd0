"""National identity numbers, which no text of ours may hold: they would tell who the patient is. Pure.

Birth numbers, D-numbers and H-numbers are known by their check digits, also as people write them: 01.02.03 12345.
"""

import re
import unicodedata

from stdnum.no import fodselsnummer

_GAP = r"[\s.,/:-]{0,3}"
_ELEVEN_DIGITS = re.compile(rf"(?=(?<!\d)(\d\d{_GAP}\d\d{_GAP}\d\d{_GAP}\d{{3}}{_GAP}\d\d)(?!\d))")


def holds_identity_number(text: str) -> bool:
    """Whether a valid national identity number stands anywhere in the text."""
    plain = unicodedata.normalize("NFKC", text)
    found = ("".join(filter(str.isdigit, match[1])) for match in _ELEVEN_DIGITS.finditer(plain))
    return any(fodselsnummer.is_valid(number) for number in found)
