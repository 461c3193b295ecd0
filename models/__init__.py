"""The one relational model. It imports none of the parts."""

from models.accounts import Account, AuditEntry, Role, RoleGrant, Session, SignInAttempt
from models.booking import (
    Answer,
    Closure,
    Conference,
    ConferenceState,
    Party,
    PartyKind,
    Purpose,
    Reservation,
    ReservationKind,
)
from models.calls import Event, Leg, LegState, Wanted
from models.database import UTCDateTime, database_now, db, write
from models.inventory import (
    ControlDriver,
    Credential,
    Endpoint,
    Organisation,
    OrganisationKind,
    SecretUnreadable,
    Site,
    SnmpVersion,
    StartMode,
    Studio,
)
from models.monitoring import EndpointStatus, Health, StatusChange, Worker

__all__ = [
    "Account",
    "Answer",
    "AuditEntry",
    "Closure",
    "Conference",
    "ConferenceState",
    "ControlDriver",
    "Credential",
    "Endpoint",
    "EndpointStatus",
    "Event",
    "Health",
    "Leg",
    "LegState",
    "Organisation",
    "OrganisationKind",
    "Party",
    "PartyKind",
    "Purpose",
    "Reservation",
    "ReservationKind",
    "Role",
    "RoleGrant",
    "SecretUnreadable",
    "Session",
    "SignInAttempt",
    "Site",
    "SnmpVersion",
    "StartMode",
    "StatusChange",
    "Studio",
    "UTCDateTime",
    "Wanted",
    "Worker",
    "database_now",
    "db",
    "write",
]
