"""What programs send to book: a conference with its parties, and changes of one."""

from typing import Annotated, Any

from flask_babel import gettext as _
from pydantic import AfterValidator, ConfigDict, Field, model_validator

from api.values import Instant, PlainText, RequestModel, Whole
from models import Purpose
from studios.booking.identity import holds_identity_number
from studios.booking.rules import LONGEST_REASON, LONGEST_TITLE, MOST_PARTIES

LONGEST_CODE = 40
LONGEST_NAME = 200
LONGEST_ADDRESS = 255
LARGEST_ROOM = 10_000
MOST_EQUIPMENT = 20
EXACTLY_ONE = {"oneOf": [{"required": ["studio"]}, {"required": ["any_of"]}, {"required": ["guest"]}]}


def _of_no_patient(text: str) -> str:
    # A telephone number in its international form is no identity number, though a few look like one.
    if not text.startswith("+") and holds_identity_number(text):
        raise ValueError(_("This holds a national identity number. Say it without naming a patient."))
    return text


Code = Annotated[PlainText, Field(min_length=1, max_length=LONGEST_CODE)]
Name = Annotated[PlainText, Field(min_length=1, max_length=LONGEST_NAME)]
Equipment = Annotated[PlainText, Field(min_length=1, max_length=LONGEST_CODE), AfterValidator(_of_no_patient)]
Equipments = Annotated[list[Equipment], Field(max_length=MOST_EQUIPMENT)]
People = Annotated[int, Field(ge=1, le=LARGEST_ROOM)]
Title = Annotated[PlainText, Field(min_length=1, max_length=LONGEST_TITLE)]
Reason = Annotated[PlainText, Field(min_length=1, max_length=LONGEST_REASON)]
Address = Annotated[PlainText, Field(min_length=1, max_length=LONGEST_ADDRESS), AfterValidator(_of_no_patient)]


class PoolRequest(RequestModel):
    """Any studio of a site, an organisation (name or number), a town or municipality; of several named, of all these.
    Without any of them, any studio at all."""

    site: Name | None = None
    organisation: Name | None = None
    town: Name | None = None
    capacity: People = 1
    equipment: Equipments = Field(default=[])


class PartyRequest(RequestModel):
    """A place at the table: exactly one of a studio by its code, any studio of a pool, or a guest by video address
    (`sip:name@host`) or telephone number (`+47…`). Attendees and equipment are of a studio that is named."""

    model_config = ConfigDict(json_schema_extra=EXACTLY_ONE)  # type: ignore[typeddict-item]

    studio: Code | None = None
    any_of: PoolRequest | None = None
    guest: Address | None = None
    attendees: People | None = None
    equipment: Equipments = Field(default=[])

    @model_validator(mode="after")
    def _is_one_thing(self) -> "PartyRequest":
        if sum(each is not None for each in (self.studio, self.any_of, self.guest)) != 1:
            raise ValueError(_("A party is one of these: a studio, any_of or a guest."))
        if self.studio is None and (self.attendees is not None or self.equipment):
            raise ValueError(_("Attendees and equipment are for a studio that is named; a pool has its own."))
        return self


Parties = Annotated[list[PartyRequest], Field(min_length=1, max_length=MOST_PARTIES)]


class ConferenceRequest(RequestModel):
    """A conference to be booked.

    `organisation`: the name or number of the responsible one; by default the only one that the account books for, else
    that of the first studio that is named. `on_behalf_of`: the e-mail address of somebody there, who becomes the
    organiser. `movable`: others may ask for its time, and an emergency may take it. Without `video` the rooms are only
    marked as used.
    """

    title: Title
    purpose: Purpose
    start: Instant
    end: Instant
    parties: Parties
    organisation: Name | None = None
    on_behalf_of: Address | None = None
    movable: bool = False
    video: bool = True


class ChangeRequest(RequestModel):
    """What shall be different; what is missing or null stays. With another start alone it stays as long as it was.

    `version`: the one that the change was made up for; if somebody has changed the conference since, it is refused.
    """

    title: Title | None = None
    purpose: Purpose | None = None
    start: Instant | None = None
    end: Instant | None = None
    parties: Parties | None = None
    movable: bool | None = None
    video: bool | None = None
    version: Whole | None = None


class DraftRequest(RequestModel):
    """A conference as far as it is thought of; what is missing can come later."""

    title: Annotated[PlainText, Field(max_length=LONGEST_TITLE)] | None = None
    purpose: Purpose | None = None
    start: Instant | None = None
    end: Instant | None = None
    parties: Annotated[list[PartyRequest], Field(max_length=MOST_PARTIES)] = Field(default=[])
    organisation: Name | None = None
    on_behalf_of: Address | None = None
    movable: bool = False
    video: bool = True

    def as_content(self) -> dict[str, Any]:
        """As it is kept: what was sent, and no more."""
        return self.model_dump(mode="json", exclude_unset=True, exclude_none=True)


class CopyRequest(RequestModel):
    start: Instant


class ExtendRequest(RequestModel):
    minutes: Annotated[int, Field(ge=1, le=24 * 60)]


class JoinRequest(RequestModel):
    """Exactly one of a studio by its code, and a guest by video address or telephone number. Attendees are of a
    studio."""

    studio: Code | None = None
    guest: Address | None = None
    attendees: People | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> "JoinRequest":
        if (self.studio is None) == (self.guest is None):
            raise ValueError(_("A party is one of these: a studio or a guest."))
        return self


class ReplaceRequest(RequestModel):
    """The code of the studio that takes the place."""

    studio: Code


class DeclineRequest(RequestModel):
    """The others around the table read the reason."""

    reason: Reason
