"""The pieces of work that a demo consists of: independent of each other, each done when its part file is there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from simhand.synthetic.settings import DemoSettings

_log = logging.getLogger(__name__)

IMAGES_OF_A_PERSON = 10
_LOG_EVERY = 10
Split = Literal["training", "evaluation"]
Layout = Literal["dexycb", "assemblyhands"]
_VIDEOS, _EMPTY, _TRAINING, _EVALUATION, _DEXYCB, _ASSEMBLYHANDS = range(6)  # kinds of random numbers
_KIND: dict[Split, int] = {"training": _TRAINING, "evaluation": _EVALUATION}
_LAYOUT: dict[Layout, int] = {"dexycb": _DEXYCB, "assemblyhands": _ASSEMBLYHANDS}


@dataclass(frozen=True)
class Film:
    """A video; its part is its truth table. The cast is a number of `simhand.synthetic.film.CASTS`, None: nobody."""

    video: Path
    part: Path
    seed: tuple[int, ...]
    cast: int | None


@dataclass(frozen=True)
class Portraits:
    """One person's labelled images; the part holds their labels."""

    images: tuple[Path, ...]
    part: Path
    seed: tuple[int, ...]
    more: tuple[tuple[Path, ...], ...] = ()  # of the same hands on other backgrounds


@dataclass(frozen=True)
class Recording:
    """A labelled recording; the part holds what cannot stand in its own files."""

    layout: Layout
    root: Path
    split: Split
    number: int
    part: Path
    seed: tuple[int, ...]


Task = Film | Portraits | Recording


def film_tasks(out: Path, parts: Path, settings: DemoSettings) -> list[Film]:
    """The videos with hands, and the empty room as the last."""
    names = [f"person_{i:03d}" for i in range(settings.videos)]
    films = [
        Film(out / "videos" / f"{name}.mp4", parts / f"{name}.parquet", (settings.seed, _VIDEOS, i), i)
        for i, name in enumerate(names)
    ]
    empty = Film(out / "videos" / "no_hand.mp4", parts / "no_hand.parquet", (settings.seed, _EMPTY), None)
    return [*films, empty]


def portrait_tasks(out: Path, parts: Path, settings: DemoSettings, split: Split) -> list[Portraits]:
    """The labelled images of a split, person by person."""
    count = settings.training if split == "training" else settings.evaluation
    versions = settings.backgrounds if split == "training" else 1
    rgb = out / "labelled" / split / "rgb"
    images = [[rgb / f"{version * count + i:08d}.jpg" for i in range(count)] for version in range(versions)]
    tasks = []
    for person, begin in enumerate(range(0, count, IMAGES_OF_A_PERSON)):
        first, *more = (tuple(version[begin : begin + IMAGES_OF_A_PERSON]) for version in images)
        part, seed = parts / f"{split}_{person:03d}.json", (settings.seed, _KIND[split], person)
        tasks.append(Portraits(first, part, seed, tuple(more)))
    return tasks


def recording_tasks(out: Path, parts: Path, settings: DemoSettings, layout: Layout, split: Split) -> list[Recording]:
    """The recordings of a split of a set in another layout."""
    counts: dict[Layout, tuple[int, int]] = {"dexycb": settings.dexycb, "assemblyhands": settings.assemblyhands}
    training, evaluation = counts[layout]
    return [
        Recording(
            layout,
            out / f"labelled_{layout}",
            split,
            number,
            parts / f"{layout}_{split}_{number:03d}.json",
            (settings.seed, _LAYOUT[layout], _KIND[split], number),
        )
        for number in range(training if split == "training" else evaluation)
    ]


def perform(tasks: Sequence[Task], settings: DemoSettings, model: Path, jobs: int) -> None:
    """Does what is not done yet, in `jobs` processes; what comes out does not depend on their number."""
    waiting = [task for task in tasks if not task.part.is_file()]
    text = "rendering videos and labelled images in %d pieces, of which %d are there"
    _log.info(text, len(tasks), len(tasks) - len(waiting))
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        futures = [pool.submit(_perform_one, task, settings, model) for task in waiting]
        try:
            progress = tqdm(as_completed(futures), total=len(futures), desc="rendering", disable=None)
            for done, future in enumerate(progress, start=1):
                future.result()
                if done % _LOG_EVERY == 0:
                    _log.info("%d of %d pieces are rendered", done, len(futures))
        finally:
            pool.shutdown(cancel_futures=True)


def _perform_one(task: Task, settings: DemoSettings, model: Path) -> None:
    from simhand.synthetic.worker import render  # noqa: PLC0415 - only the workers need torch and anny

    render(task, settings, model)
