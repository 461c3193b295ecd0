"""The limit of open files: three sockets a studio need more than the customary 1,024."""

import resource

SOCKETS_A_STUDIO = 3  # where all of it is served
# Room for connections, the database and what the interpreter opens.
SPARE = 512


class TooFewFilesError(Exception):
    """The hard limit does not let us open what we need; the message says what to do."""


def make_room(studios: int, sockets: int | None = None) -> None:
    """Raise the soft limit, and as root the hard one, to what so many studios need. `sockets`: how many that is, where
    not all of them is served."""
    needed = (studios * SOCKETS_A_STUDIO if sockets is None else sockets) + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    enough = hard == resource.RLIM_INFINITY or hard >= needed
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard if enough else needed))
    except (ValueError, PermissionError):
        raise TooFewFilesError(
            f"{studios} studios need {needed} open files, but this account may open {hard} at most. "
            "Raise its hard limit (LimitNOFILE in systemd, nofile in /etc/security/limits.conf)."
        ) from None
