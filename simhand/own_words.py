"""Standard error for what simhand says, and for nothing else."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_words(level: int = logging.INFO) -> Iterator[None]:
    """Within the block what simhand logs goes to standard error, and what C libraries print there goes nowhere.

    Args:
        level: of logging; what matters less is not said.
    """
    with os.fdopen(os.dup(2), "w", buffering=1) as own, Path(os.devnull).open("w") as nowhere:
        logging.basicConfig(level=level, stream=own, format="%(message)s", force=True)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(own.fileno(), 2)
            logging.basicConfig(force=True)
