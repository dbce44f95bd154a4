"""Locks on files, between processes and, on disks that pass them on, between nodes."""

from __future__ import annotations

import errno
import fcntl
from enum import Enum
from typing import IO

# Lustre that is mounted without flock, some file systems in user space, and NFS without its lock daemon.
_UNKNOWN_TO_THE_DISK = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}


class Lock(Enum):
    """What came of asking for a lock."""

    OURS = "until the file is closed"
    TAKEN = "another process has it"
    UNKNOWN = "the disk has no locks"


def lock(file: IO[bytes]) -> Lock:
    """Asks for the lock of a file without waiting for it.

    The system lets go of it when its owner closes the file, or dies.

    Args:
        file: open for writing, which NFS wants of who locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Lock.TAKEN
    except OSError as error:
        if error.errno in _UNKNOWN_TO_THE_DISK:
            return Lock.UNKNOWN
        raise
    return Lock.OURS
