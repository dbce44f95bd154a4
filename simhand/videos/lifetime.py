"""Processes that do not outlive the one that started them, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def end_with_parent(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """From now on the system kills this process when the thread that started it ends.

    Args:
        parent: the process that should have started this one; if that is gone already, this one ends now.
        number: the signal that it gets instead of SIGKILL.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        sys.exit("the parent is gone")
