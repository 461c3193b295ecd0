"""Who ends with whom: nothing that was started here may outlive this process (Linux, prctl(2))."""

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
libc = ctypes.CDLL(None)


def end_with(parent: int) -> Callable[[], None]:
    """What a child calls before it becomes the program: when the parent dies, even by kill -9, it gets SIGTERM."""

    def promise() -> None:
        # The parent's own handler would swallow a signal that comes before the program is there.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before it was asked to tell
            os.kill(os.getpid(), signal.SIGTERM)

    return promise


def adopt_orphans() -> None:
    """What loses its parent below this process becomes its own child, and can be found and stopped."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
