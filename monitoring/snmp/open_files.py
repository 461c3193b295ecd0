"""The limit of open files: a socket for each target needs more than the customary 1,024."""

import resource

import structlog

# Room for connections to codecs, the database and what the interpreter opens.
SPARE = 256

log = structlog.get_logger()


def make_room(sockets: int) -> int:
    """Raise the soft limit to what so many sockets need; how many of them there can be."""
    needed = sockets + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return sockets
    reachable = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, reachable), hard))
    if reachable < needed:
        log.warning(
            "this account may open fewer files than there may be endpoints; those beyond are polled with more CPU. "
            "Raise its hard limit (LimitNOFILE in systemd, nofile in /etc/security/limits.conf).",
            files=hard,
            wanted=needed,
        )
    return max(0, reachable - SPARE)
