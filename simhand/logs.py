"""The log of one job: a file of its own, and the terminal."""

from __future__ import annotations

import errno
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simhand.errors import SimhandError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # a disk, one's part of it, or a file


def planning_log() -> None:
    """While the workflow is planned, what simhand logs goes to standard error."""
    log = logging.getLogger("simhand")
    if not log.handlers:
        log.addHandler(logging.StreamHandler(sys.stderr))
        log.setLevel(logging.INFO)


class _LogFile(logging.FileHandler):
    """Where its disk is full, the log goes on without it: all of it is on standard error too."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        error = sys.exc_info()[1]
        if not (isinstance(error, OSError) and error.errno in _FULL):
            super().handleError(record)


@contextmanager
def job_log(path: Path | str | None = None) -> Iterator[None]:
    """Within the block, what simhand logs goes to standard error and to a file.

    An error that the user can act on ends the process with its message and status 1; any other keeps its traceback.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handlers.append(_LogFile(path, mode="w"))
    logging.basicConfig(level=logging.INFO, handlers=handlers, format="%(asctime)s %(message)s", force=True)
    try:
        yield
    except SimhandError as error:
        logging.error("%s", error)
        sys.exit(1)
    except KeyboardInterrupt:
        logging.error("interrupted")
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL:
            logging.error("%s\n  hint:     make room and start again; finished files stay", error)
            sys.exit(1)
        logging.exception("this should not have happened")
        raise
