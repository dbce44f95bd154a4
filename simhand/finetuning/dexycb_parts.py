"""Which recordings of DexYCB belong to which split, and which of them are there."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from simhand.errors import LabelledSetError
from simhand.finetuning.labelled import Split
from simhand.finetuning.reading import listed
from simhand.finetuning.settings import Setup

log = logging.getLogger(__name__)

SUBJECTS = (
    "20200709-subject-01",
    "20200813-subject-02",
    "20200820-subject-03",
    "20200903-subject-04",
    "20200908-subject-05",
    "20200918-subject-06",
    "20200928-subject-07",
    "20201002-subject-08",
    "20201015-subject-09",
    "20201022-subject-10",
)
SERIALS = (
    "836212060125",
    "839512060362",
    "840412060917",
    "841412060263",
    "932122060857",
    "932122060861",
    "932122061900",
    "932122062010",
)
SEQUENCES = 100  # of a subject, in the complete set
HINT = "give the folder with 20200709-subject-01 to 20201022-subject-10 and calibration"


@dataclass(frozen=True)
class Part:
    """What a split consists of: places in SUBJECTS, in a subject's sorted recordings, and in SERIALS."""

    subjects: tuple[int, ...] = tuple(range(len(SUBJECTS)))
    sequences: tuple[int, ...] = tuple(range(SEQUENCES))
    serials: tuple[int, ...] = tuple(range(len(SERIALS)))


def _sequences(*remainders: int) -> tuple[int, ...]:
    return tuple(i for i in range(SEQUENCES) if i % 5 in remainders)


def _objects(*places: int) -> tuple[int, ...]:
    """Five recordings in a row show the same object."""
    return tuple(i for i in range(SEQUENCES) if i // 5 in places)


_EVALUATED_OBJECTS = (3, 7, 11, 15, 19)

PARTS: dict[tuple[Setup, Split], Part] = {  # of the official splits train and test
    ("s0", "training"): Part(sequences=_sequences(0, 1, 2, 3)),
    ("s0", "evaluation"): Part(subjects=tuple(range(2, 10)), sequences=_sequences(4)),
    ("s1", "training"): Part(subjects=(0, 1, 2, 3, 4, 5, 9)),
    ("s1", "evaluation"): Part(subjects=(7, 8)),
    ("s2", "training"): Part(serials=tuple(range(6))),
    ("s2", "evaluation"): Part(serials=(7,)),
    ("s3", "training"): Part(sequences=_objects(*(i for i in range(20) if i not in _EVALUATED_OBJECTS))),
    ("s3", "evaluation"): Part(sequences=_objects(7, 11, 15)),
}


@dataclass(frozen=True)
class Recording:
    """One recording: some seconds of one hand, seen by several cameras at once."""

    folder: str  # below the root
    frames: int
    left: bool
    serials: tuple[str, ...]  # of the split's cameras, those that are there


def recordings(root: Path, setup: Setup, split: Split) -> list[Recording]:
    """The recordings of a split, sorted by subject and time.

    Raises:
        LabelledSetError: there are none, or a `meta.yml` is missing or damaged.
    """
    part = PARTS[setup, split]
    found = [
        recording
        for subject in part.subjects
        for place, name in enumerate(_names(root / SUBJECTS[subject]))
        if place in part.sequences and (recording := _recording(root, f"{SUBJECTS[subject]}/{name}", part)).serials
    ]
    if not found:
        expected = f"folders like {SUBJECTS[part.subjects[0]]}/20200709_141754/{SERIALS[part.serials[0]]}"
        raise LabelledSetError(f"no recordings for {split} in {setup}", where=root, expected=expected, hint=HINT)
    _tell_missing(root, part, found)
    return found


def _names(subject: Path) -> list[str]:
    return sorted(name for name in listed(subject) if (subject / name).is_dir())


def _recording(root: Path, folder: str, part: Part) -> Recording:
    meta = read_yaml(root / folder / "meta.yml")
    wanted = {SERIALS[place] for place in part.serials}
    try:
        serials, (side,), frames = map(str, meta["serials"]), meta["mano_sides"], int(meta["num_frames"])
    except (KeyError, TypeError, ValueError) as error:
        expected = "serials, num_frames, and mano_sides with one side"
        where = root / folder / "meta.yml"
        raise LabelledSetError("not a meta.yml of DexYCB", where=where, expected=expected, got=repr(error)) from error
    there = listed(root / folder)
    return Recording(folder, frames, side == "left", tuple(name for name in serials if name in wanted & there))


def read_yaml(path: Path) -> Any:
    """Reads a YAML file of the set.

    Raises:
        LabelledSetError: missing or no YAML.
    """
    try:
        return yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError) as error:
        raise LabelledSetError("cannot read a file of DexYCB", where=path, got=error, hint=HINT) from error


def _tell_missing(root: Path, part: Part, found: list[Recording]) -> None:
    """Logs how much smaller a copy is than the complete set."""
    whole = len(part.subjects) * len(part.sequences)
    absent = [SUBJECTS[place] for place in part.subjects if not (root / SUBJECTS[place]).is_dir()]
    cameras = sum(len(recording.serials) for recording in found)
    if len(found) < whole or cameras < whole * len(part.serials):
        log.warning(
            "a smaller copy of DexYCB: %d of %d recordings, %d of %d camera folders of them; subjects without any: %s",
            len(found),
            whole,
            cameras,
            len(found) * len(part.serials),
            ", ".join(absent) or "none",
        )
