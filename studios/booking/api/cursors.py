"""Where a list that is told in parts goes on: after the start and the key of the last one that was told."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import InstrumentedAttribute

from api.values import PlainText

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
Cursor = Annotated[PlainText, Field(max_length=26, pattern=r"^[0-9]{1,16}-[0-9]{1,9}$")]


def cursor_at(start: datetime, key: int) -> str:
    return f"{(start - EPOCH) // MICROSECOND}-{key}"


def is_after(
    cursor: str, start: InstrumentedAttribute[datetime], key: InstrumentedAttribute[int]
) -> sa.ColumnElement[bool]:
    """What comes after the cursor in a list by start and key."""
    since, last = (int(part) for part in cursor.split("-"))
    begin = EPOCH + since * MICROSECOND
    return sa.or_(start > begin, sa.and_(start == begin, key > last))
