"""Ends this process when its parent ends, on Linux; elsewhere it does nothing.

As a script it becomes the command of its arguments, which keeps the promise: a process keeps it across exec.
"""

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


if __name__ == "__main__":
    end_with_parent()
    os.execv(sys.argv[1], sys.argv[1:])
