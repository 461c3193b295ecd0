"""The engine on gufo-snmp's sockets (Rust): one connected socket a target, kept; a seventh of the CPU of pysnmp.

It takes the plain case: one request under way for a target, answered. All else, which is rare, goes to the pysnmp
engine, whose one socket serves any number of requests: a second request while an answer may still come, an agent of
version 3 that reports something, an answer that is unreadable or without a value (it may tell an error), no files left
to open.

gufo's own asyncio session can't keep what `engine.py` promises: it gives up a request with its time-out, so that no
belated answer is ever heard, and stops at the first unreadable packet. So its sockets are used, not its sessions.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from gufo.snmp import Aes128Key, Sha256Key, SnmpAuthError, SnmpError, User
from gufo.snmp._fast import SnmpV2cClientSocket, SnmpV3ClientSocket
from gufo.snmp.user import KeyType
from gufo.snmp.utils import format_sock_addr

from monitoring.snmp.engine import BELATED, TIMEOUT, Counters, Outcome, Reading, Target, Value
from monitoring.snmp.open_files import make_room
from monitoring.snmp.pysnmp_engine import LATE, PysnmpEngine
from monitoring.snmp.usm_messages import LARGEST_MESSAGE, Keys, is_sealed, keys_at, master_key

DRAIN_LIMIT = 20
PEEK = socket.MSG_PEEK | socket.MSG_DONTWAIT
# gufo tells an agent of version 3 the time that it last heard, which the agent accepts for 150 seconds.
TIME_HOLDS = 100.0
# What is left for a request that another engine takes over, at least.
LEAST_TIME = 0.5
SOCKETS = 10_000
V3_METHODS = ("send_refresh", "recv_refresh", "set_keys", "get_engine_id")
IDLE = User.default()


@dataclass(slots=True, eq=False)
class _Request:
    target: Target
    oids: list[str]
    sent_at: float
    deadline: float
    done: asyncio.Future[Reading | None]


class _Session:
    """One target's socket; `request` is what it may still get an answer to."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.request: _Request | None = None
        self.is_secure = target.version == "3"
        # Version 3 takes three steps until the first answer: which engine, what time has it, and the request.
        self.knows_engine = not self.is_secure
        self.timely_until = 0.0 if self.is_secure else float("inf")
        self.is_refreshing = False
        address = format_sock_addr(target.host, target.port)
        self.socket: SnmpV2cClientSocket | SnmpV3ClientSocket
        self.keys: Keys | None = None
        if self.is_secure:
            keys = (IDLE.get_auth_alg(), IDLE.get_auth_key(), IDLE.get_priv_alg(), IDLE.get_priv_key())
            self.socket = SnmpV3ClientSocket(address, b"", IDLE.name, *keys, 0, 0, 0, 0)
        else:
            self.socket = SnmpV2cClientSocket(address, target.community, 0, 0, 0, 0)
        # Python's own view of the same socket; whoever closes the session lets go of it.
        self.view = socket.socket(fileno=self.socket.get_fd())

    def send(self, now: float) -> None:
        """The next step of the request."""
        assert self.request is not None
        self.is_refreshing = now > self.timely_until
        if self.is_refreshing:
            cast(SnmpV3ClientSocket, self.socket).send_refresh()
        else:
            self.socket.send_get_many(self.request.oids)

    def receive(self, now: float) -> dict[str, Value] | None:
        """The values, or None after a step that another must follow. Raises BlockingIOError when nothing has come.

        gufo takes an answer whatever signature it has, or none at all: see to that before it gets the packet.
        """
        if not self.is_refreshing:
            if self.keys and not is_sealed(self.view.recv(LARGEST_MESSAGE, PEEK), self.keys):
                self.view.recv(1)  # the rest of the packet goes with it
                raise SnmpAuthError
            values = self.socket.recv_get_many()
            if self.is_secure:
                self.timely_until = now + TIME_HOLDS
            return cast(dict[str, Value], values)
        secure = cast(SnmpV3ClientSocket, self.socket)
        secure.recv_refresh()
        if self.knows_engine:
            self.timely_until = now + TIME_HOLDS
        else:
            self.knows_engine = True
            user = _user(self.target)
            keys = (user.get_auth_alg(), user.get_auth_key(), user.get_priv_alg(), user.get_priv_key())
            secure.set_keys(user.name, *keys)
            target = self.target
            self.keys = keys_at(target.user, target.auth, target.priv, secure.get_engine_id())
        return None


def try_out() -> None:
    """Raises AttributeError or TypeError where gufo has other sockets than those we know: they are not its public part.

    Opens a session of each version; sends nothing.
    """
    for version in ("2c", "3"):
        session = _Session(Target(0, "127.0.0.1", version=version))
        session.view.detach()
        for name in ("send_get_many", "recv_get_many", *(V3_METHODS if session.is_secure else ())):
            getattr(session.socket, name)
    _user(Target(0, "127.0.0.1", user="nobody", auth="no key", priv="no key"))


class GufoEngine:
    """Belongs to the event loop it was opened in."""

    name = "gufo"

    def __init__(self, sockets: int = SOCKETS) -> None:
        self._loop = asyncio.get_running_loop()
        self._thorough = PysnmpEngine()
        self._thorough.on_belated = lambda target, reading: self.on_belated(target, reading)
        self.counters: Counters = self._thorough.counters
        self.on_belated: Callable[[Target, Reading], None] = lambda target, reading: None
        self._sessions: dict[int, _Session] = {}
        self._most = make_room(sockets)

    async def read(self, target: Target, oids: tuple[str, ...], timeout: float = TIMEOUT) -> Reading:
        session = self._idle_session(target)
        if session is None:
            return await self._thorough.read(target, oids, timeout)
        now = self._loop.time()
        request = _Request(target, list(oids), now, now + timeout, self._loop.create_future())
        session.request = request
        if not self._send(session):
            self._close(session)
            return await self._thorough.read(target, oids, timeout)
        timer = self._loop.call_at(request.deadline, self._expire, session, request)
        try:
            reading = await request.done
        except asyncio.CancelledError:
            self._close(session)
            raise
        finally:
            timer.cancel()
        if reading is None:
            return await self._thorough.read(target, oids, max(LEAST_TIME, request.deadline - self._loop.time()))
        return reading

    def close(self) -> None:
        for session in list(self._sessions.values()):
            self._close(session)
        self._thorough.close()

    def _idle_session(self, target: Target) -> _Session | None:
        """The target's session, opened where there is none; None for what the other engine has to take."""
        session = self._sessions.get(target.key)
        if session is not None and session.target == target:
            return None if session.request or self._thorough.doubts(target) else session
        if session is not None:
            if session.request:
                return None
            self._close(session)
        return self._open(target)

    def _open(self, target: Target) -> _Session | None:
        unfit = target.version not in ("2c", "3") or (target.version == "3" and not (target.auth and target.priv))
        if unfit or len(self._sessions) >= self._most or self._thorough.doubts(target):
            return None
        try:
            session = _Session(target)
        except (OSError, ValueError, SnmpError):
            return None  # no files left, or an address that gufo doesn't read: the other engine says what is wrong
        self._sessions[target.key] = session
        self._loop.add_reader(session.socket.get_fd(), self._readable, session)
        return session

    def _close(self, session: _Session) -> None:
        if self._sessions.get(session.target.key) is session:
            del self._sessions[session.target.key]
            self._loop.remove_reader(session.socket.get_fd())
            session.view.detach()
        session.request = None

    def _send(self, session: _Session) -> bool:
        """Whether the packet is on its way. A refusal by an earlier packet's ICMP error is no answer to this one."""
        for _ in range(2):
            try:
                session.send(self._loop.time())
            except (ConnectionError, TimeoutError):
                continue
            except (OSError, SnmpError):
                return False
            self.counters.sent += 1
            return True
        return False

    def _readable(self, session: _Session) -> None:
        if not self._take(session):
            # The kernel passes only what the target sent; gufo leaves out what answers something else,
            # and an agent's report that it has another time than we think.
            self.counters.foreign += 1
            if session.is_secure:
                self._hand_over(session)
            return
        for _ in range(DRAIN_LIMIT):
            if session.request is None or not self._take(session):
                return

    def _take(self, session: _Session) -> bool:
        """Take in one packet; False when there is none for us."""
        try:
            values = session.receive(self._loop.time())
        except BlockingIOError:
            return False
        except SnmpAuthError:
            self._hand_over(session)
        except OSError:
            pass  # an ICMP error: the target's own time-out tells the same
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:
            # Cut, hostile, or more than gufo takes in one packet (4 kB). What is cut within a length makes it panic,
            # which is no Exception; whatever it is, the request must end.
            self.counters.unreadable += 1
            self._hand_over(session)
        else:
            self._go_on(session, values)
        return True

    def _go_on(self, session: _Session, values: dict[str, Value] | None) -> None:
        if values is not None:
            self._answer(session, values)
        elif session.request and not self._send(session):
            self._hand_over(session)

    def _hand_over(self, session: _Session) -> None:
        """Something came that gufo can't tell more of. The other engine asks again and finds out."""
        request = session.request
        self._close(session)
        if request and not request.done.done():
            request.done.set_result(None)

    def _answer(self, session: _Session, values: dict[str, Value]) -> None:
        request, session.request = session.request, None
        if request is None:
            self.counters.foreign += 1
            return
        round_trip, now = self._loop.time() - request.sent_at, datetime.now(UTC)
        # gufo leaves out what the agent doesn't know.
        found = {oid: values.get(oid) for oid in request.oids}
        reading = Reading(request.target.key, Outcome.ANSWERED, now, round_trip, values=found)
        if request.done.done():
            self.counters.belated += 1
            self.on_belated(request.target, reading)
        elif not values:
            request.done.set_result(None)  # nothing is known of all this, or it is an error that gufo doesn't tell
        else:
            self.counters.answered += 1
            request.done.set_result(reading)

    def _expire(self, session: _Session, request: _Request) -> None:
        late = self._loop.time() - request.deadline > LATE
        # The answer may lie in the socket unread because we were busy: look before calling it missing.
        while session.request is request and self._take(session):
            pass
        if request.done.done():
            return
        forget_at = max(request.sent_at + BELATED, request.deadline + BELATED / 4)
        self._loop.call_at(forget_at, self._forget, session, request)
        self.counters.late += late
        self.counters.timed_out += not late
        outcome = Outcome.LATE if late else Outcome.TIMEOUT
        request.done.set_result(Reading(request.target.key, outcome, datetime.now(UTC)))

    def _forget(self, session: _Session, request: _Request) -> None:
        """Too old for any answer to tell of the present. An agent of version 3 may be another one by now."""
        if session.request is not request:
            return
        session.request = None
        if session.is_secure:
            self._close(session)


def _user(target: Target) -> User:
    return User(
        target.user,
        auth_key=Sha256Key(master_key(target.auth), key_type=KeyType.Master),
        priv_key=Aes128Key(master_key(target.priv), key_type=KeyType.Master),
    )
