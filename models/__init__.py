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
from models.calls import CallRecord, Event, Leg, LegState, Wanted
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
from models.messages import Message
from models.monitoring import EndpointStatus, Health, StatusChange, Worker
from models.usage import ConferenceUsage, HourUsage, Outcome, Report, StudioUsage

__all__ = [
    "Account",
    "Answer",
    "AuditEntry",
    "CallRecord",
    "Closure",
    "Conference",
    "ConferenceState",
    "ConferenceUsage",
    "ControlDriver",
    "Credential",
    "Endpoint",
    "EndpointStatus",
    "Event",
    "Health",
    "HourUsage",
    "Leg",
    "LegState",
    "Message",
    "Organisation",
    "OrganisationKind",
    "Outcome",
    "Party",
    "PartyKind",
    "Purpose",
    "Report",
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
    "StudioUsage",
    "UTCDateTime",
    "Wanted",
    "Worker",
    "database_now",
    "db",
    "write",
]
