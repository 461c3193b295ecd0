"""Who ends with whom: nothing that was started here may outlive this process (Linux, prctl(2))."""

import ctypes
import signal

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
libc = ctypes.CDLL(None)


def end_with_parent() -> None:
    """Called in the child before it becomes the program: when the parent dies, even by kill -9, it gets SIGTERM."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def adopt_orphans() -> None:
    """What loses its parent below this process becomes its own child, and can be found and stopped."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
