"""Ends this process when its parent ends, on Linux; elsewhere it does nothing."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    # The parent may have ended before the call, and another process taken its place.
    if os.environ.get("WRIT_PARENT_PID", str(os.getppid())) != str(os.getppid()):
        sys.exit("the parent process is gone")
