"""The embedded demo: videos of hands, what is true in them, and a labelled set, rendered into one folder.

    videos/person_000.mp4 ...   each of its own person
    videos/no_hand.mp4          an empty room
    videos/truncated.mp4        half a file, which cannot be decoded
    truth/hands.parquet         exact keypoints (`simhand.synthetic.truth`)
    labelled/                   FreiHAND's layout, of persons that no video shows
    demo.json                   what it was rendered with; written last

While it is rendered, `.parts/` holds one file for each finished piece of work: an interrupted run goes on from there.
"""

from __future__ import annotations

import json
import logging
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa

from simhand.errors import ConfigError
from simhand.files import read_parquet, write_json, write_parquet
from simhand.fingerprint import code_fingerprint
from simhand.synthetic.freihand import write_labels
from simhand.synthetic.hand_cache import model_file
from simhand.synthetic.settings import DemoSettings
from simhand.synthetic.tasks import Film, Split, film_tasks, perform, portrait_tasks
from simhand.synthetic.truth import TRUTH
from simhand.synthetic.video import write_truncated

_log = logging.getLogger(__name__)

_OURS = (
    "videos/person_*.mp4",
    "videos/no_hand.mp4",
    "videos/truncated.mp4",
    "truth/hands.parquet",
    "labelled/*_*.json",
    "labelled/*/rgb/*.jpg",
)


def render_demo(out: Path, settings: DemoSettings, jobs: int) -> None:
    """Renders the demo into a folder; a finished one of the same settings is left as it is.

    Args:
        out: the folder, new or empty or with an earlier demo, which is replaced if its settings were others.
        settings: how much; the same settings give the same files.
        jobs: processes.

    Raises:
        ConfigError: the folder holds something else.
    """
    code = code_fingerprint(Path(__file__))
    made_with = {"settings": settings.values(), "code": code, "anny": version("anny")}
    if _is_finished(out, made_with):
        _log.info("the demo in %s is finished", out)
        return
    parts = _prepare(out, made_with)
    films = film_tasks(out, parts, settings)
    portraits = {split: portrait_tasks(out, parts, settings, split) for split in get_args(Split)}
    perform([*films, *(task for tasks in portraits.values() for task in tasks)], settings, model_file(parts), jobs)
    _gather(out, films)
    for split, tasks in portraits.items():
        write_labels(out / "labelled", split, [task.part for task in tasks])
    write_json({**made_with, "files": _sizes(out)}, out / "demo.json")
    shutil.rmtree(parts)
    _log.info("rendered %d videos and %d labelled images", settings.videos, settings.training + settings.evaluation)


def _is_finished(out: Path, made_with: dict[str, Any]) -> bool:
    demo = _read_json(out / "demo.json")
    return demo.pop("files", None) == _sizes(out) and demo == made_with


def _read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _sizes(out: Path) -> dict[str, int]:
    return {path.relative_to(out).as_posix(): path.stat().st_size for path in _files(out)}


def _files(out: Path) -> list[Path]:
    return [path for pattern in _OURS for path in out.glob(pattern)]


def _prepare(out: Path, made_with: dict[str, Any]) -> Path:
    """The folder of finished parts; those of other settings or code are thrown away with all that was made of them."""
    parts = out / ".parts"
    mark = parts / "demo.json"
    if _read_json(mark) != made_with:
        _check_ours(out, mark)
        for path in (*_files(out), *parts.glob("*_*")):
            path.unlink()
        write_json(made_with, mark)
        (out / "demo.json").unlink(missing_ok=True)  # last: with neither of the two, the folder would look foreign
    return parts


def _check_ours(out: Path, mark: Path) -> None:
    ours = (out / "demo.json").is_file() or mark.is_file()
    if out.exists() and any(out.iterdir()) and not ours:
        hint = "name a new or an empty folder"
        raise ConfigError("will not render the demo into a folder that holds something else", where=out, hint=hint)


def _gather(out: Path, films: list[Film]) -> None:
    tables = [read_parquet(film.part, TRUTH) for film in films]
    write_parquet(pa.concat_tables(tables), out / "truth" / "hands.parquet", TRUTH)
    write_truncated(out / "videos" / "truncated.mp4", films[0].video)
