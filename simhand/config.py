"""config.yaml as typed models: the one source of its keys, types, defaults and their documentation.

Each block is defined in the room of its stage; here they are put together and checked against each other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from simhand.config_errors import did_you_mean, readable
from simhand.errors import ConfigError
from simhand.finetuning.settings import NO_PRETRAINING, FinetuningSettings, LabelledSettings
from simhand.frames.settings import SamplingSettings
from simhand.hands.hundred_doh.published import EXPECTED, HINT
from simhand.hands.settings import BalanceSettings, CropSettings, DetectionSettings, SelectionSettings
from simhand.keypoints.settings import KeypointSettings
from simhand.mining.settings import PoolSettings
from simhand.paper.derived_runs import all_runs
from simhand.paper.planning import Configured
from simhand.paper.settings import LABELLED, METHODS, POOLS, PaperSettings, Percent
from simhand.pretraining.settings import PretrainingSettings
from simhand.reporting.settings import ReportSettings
from simhand.settings import Settings
from simhand.videos.index import Video, max_frames
from simhand.videos.settings import SOURCE_KINDS, SourceSettings

Name = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$")]  # names become folders
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class ExperimentSettings(Settings):
    """What is fine-tuned and compared: each run on each labelled set, with each fraction of labels and each seed."""

    runs: tuple[Name, ...] = Field(
        (), description=f"pre-training runs, names of `encoders`, and {NO_PRETRAINING!r} for random initial weights"
    )
    labelled: tuple[Name, ...] = Field((), description="names of labelled sets")
    label_percents: tuple[Percent, ...] = Field((100,), min_length=1, description="percentages of the training labels")
    seeds: tuple[Seed, ...] = Field((0,), min_length=1, description="of fine-tuning")
    paper: PaperSettings | None = Field(
        None, description="what the paper's tables are made of (`snakemake table1`); empty: none can be asked for"
    )

    @field_validator("runs", "labelled", "label_percents", "seeds")
    @classmethod
    def _once(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """A result that counts twice would look like two seeds that agree."""
        if len(set(values)) < len(values):
            raise ValueError("each may be named only once")
        return values


class Config(Settings):
    """The whole of config.yaml."""

    sources: dict[Name, SourceSettings] = Field(min_length=1, description="where videos come from, by name")
    sampling: SamplingSettings = Field(default_factory=SamplingSettings, description="stage 2: frames")
    detection: DetectionSettings = Field(default_factory=DetectionSettings, description="stage 3: hands in frames")
    selection: SelectionSettings = Field(
        default_factory=SelectionSettings, description="stage 4: which hands are wanted"
    )
    balance: BalanceSettings = Field(default_factory=BalanceSettings, description="stage 4: left and right")
    crops: CropSettings = Field(default_factory=CropSettings, description="stage 5: squares around hands")
    keypoints: KeypointSettings = Field(default_factory=KeypointSettings, description="stage 6: 21 keypoints")
    pools: dict[Name, PoolSettings] = Field(min_length=1, description="stages 7 to 9: pools and mining, by name")
    pretraining: dict[Name, PretrainingSettings] = Field(
        default_factory=dict, description="stage 10: runs, by name; the block `defaults` holds what they share"
    )
    encoders: dict[Name, Path] = Field(
        default_factory=dict,
        description="stage 11: files of encoders from elsewhere, by name, which the experiment may compare like runs: "
        "torchvision's state_dict, the official checkpoint, or PeCLR's published file",
    )
    labelled: dict[Name, LabelledSettings] = Field(default_factory=dict, description="labelled sets, by name")
    finetuning: FinetuningSettings = Field(
        default_factory=FinetuningSettings, description="stage 11: a head on an encoder, trained on labelled sets"
    )
    experiment: ExperimentSettings = Field(
        default_factory=ExperimentSettings, description="stage 11: what is compared; nothing: no labels are needed"
    )
    report: ReportSettings = Field(default_factory=ReportSettings, description="stage 12: the report")

    @property
    def for_paper(self) -> Configured | None:
        """What the paper's tables are made of."""
        paper = self.experiment.paper
        return None if paper is None else Configured(paper, self.pretraining, self.pools)

    @model_validator(mode="before")
    @classmethod
    def _share_defaults(cls, values: Any) -> Any:
        """Merges `pretraining.defaults` into each run."""
        runs = values.get("pretraining") if isinstance(values, Mapping) else None
        if not isinstance(runs, Mapping) or not isinstance(runs.get("defaults"), Mapping):
            return values
        merged = {
            name: {**runs["defaults"], **run} if isinstance(run, Mapping) else run
            for name, run in runs.items()
            if name != "defaults"
        }
        return {**values, "pretraining": merged}


def load_config(values: Mapping[str, Any], where: Path | str = "config.yaml") -> Config:
    """Checks a configuration as read from YAML.

    Raises:
        ConfigError: names the key, its value, and what would be right.
    """
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        raise readable(error, Config, where) from None
    for problem in _contradictions(config):
        raise ConfigError(**{"where": where, **problem})
    all_runs(config.pretraining, config.experiment.paper)  # or two of them would have one name
    return config


def _contradictions(config: Config) -> Iterator[dict[str, Any]]:
    """What the blocks of a configuration hold against each other or the disk, one keyword dictionary a problem."""
    for name, source in config.sources.items():
        yield from _source_contradictions(f"sources.{name}", source)
    for name in sorted(_compared_sets(config.experiment) & config.labelled.keys()):
        yield from _labelled_contradictions(f"labelled.{name}.path", config.labelled[name])
    yield from _selection_contradictions(config)
    yield from _detection_contradictions(config.detection)
    yield from _missing_file("keypoints.model", config.keypoints.model)
    for name, pool in config.pools.items():
        yield from _unknown(f"pools.{name}.sources", pool.sources, config.sources)
        yield from _unannotated(name, pool, config)
        yield from _same_source_twice(name, pool, config)
    for name, run in config.pretraining.items():
        yield from _run_contradictions(name, run, config)
    runs = [name for name in config.experiment.runs if name != NO_PRETRAINING]
    yield from _unknown("experiment.runs", runs, {NO_PRETRAINING: None, **config.pretraining, **config.encoders})
    yield from _crop_contradictions(config)
    for name, path in config.encoders.items():
        yield from _missing_file(f"encoders.{name}", path)
        if name in {NO_PRETRAINING, *config.pretraining}:
            yield {"what": f"encoders.{name}: this name is taken", "hint": "choose another"}
    yield from _unknown("experiment.labelled", config.experiment.labelled, config.labelled)
    if config.experiment.paper is not None:
        yield from _paper_contradictions(config.experiment.paper, config)
    if NO_PRETRAINING in config.pretraining:
        yield {"what": f"pretraining.{NO_PRETRAINING}: this name stands for no pre-training", "hint": "choose another"}


def _detection_contradictions(detection: DetectionSettings) -> Iterator[dict[str, Any]]:
    if detection.detector == "mediapipe" and detection.weights:
        what = "detection.weights are those of another detector than the chosen one"
        yield {"what": what, "expected": "detector: hundred_doh, or no weights", "got": "detector: mediapipe"}
    if detection.detector == "hundred_doh" and not (detection.weights and detection.weights.is_file()):
        named = detection.weights is not None
        yield {
            "what": f"detection.weights: {'no such file' if named else 'hundred_doh needs the weights of its authors'}",
            "expected": EXPECTED,
            "got": detection.weights or "nothing",
            "hint": HINT,
        }


def _selection_contradictions(config: Config) -> Iterator[dict[str, Any]]:
    if config.selection.contact and config.detection.detector == "mediapipe":
        yield {
            "what": "selection.contact: mediapipe does not tell what hands touch, so no hand would be left",
            "expected": "a detector that tells it",
            "got": f"detection.detector: mediapipe, selection.contact: {', '.join(config.selection.contact)}",
            "hint": "detector: hundred_doh, or leave contact empty",
        }


def _crop_contradictions(config: Config) -> Iterator[dict[str, Any]]:
    for name in sorted(_compared_sets(config.experiment) & config.labelled.keys()):
        layout = config.labelled[name].format
        if config.finetuning.evaluation_crops == "peclr" and layout != "freihand":
            what = "finetuning.evaluation_crops: peclr looks for the hand in the middle of square images"
            yield {"what": what, "expected": "labelled sets of format freihand", "got": f"labelled.{name}: {layout}"}


def _compared_sets(experiment: ExperimentSettings) -> set[str]:
    """The names of the labelled sets that something is fine-tuned on; others need not be there."""
    return {*experiment.labelled, *(experiment.paper.labelled.values() if experiment.paper else ())}


def _labelled_contradictions(key: str, labelled: LabelledSettings) -> Iterator[dict[str, Any]]:
    if not labelled.path.is_dir():
        yield _missing_folder(key, labelled.path)
    elif missing := [path for path in labelled.label_files() if not path.is_file()]:
        expected = missing[0].relative_to(labelled.path).as_posix()
        what = f"{key}: not a {labelled.format} folder"
        yield {"what": what, "where": labelled.path, "expected": expected, "got": "no such file"}


def _source_contradictions(key: str, source: SourceSettings) -> Iterator[dict[str, Any]]:
    kinds = ", ".join(SOURCE_KINDS)
    if len(source.kinds) != 1:
        yield {
            "what": f"{key}: a source is of one kind",
            "expected": f"exactly one of the keys {kinds}",
            "got": " and ".join(source.kinds) or "none of them",
            "hint": "make a source of each" if source.kinds else "videos: a folder of videos, is the usual one",
        }
        return
    if (source.kind == "annotations") != (source.images is not None):
        yield {"what": f"{key}: annotations and images belong together", "expected": "both keys, or none of them"}
    elif source.images and not source.images.is_dir():
        yield _missing_folder(f"{key}.images", source.images)
    if SOURCE_KINDS[source.kind] == "folder" and not source.path.is_dir():
        yield _missing_folder(f"{key}.{source.kind}", source.path)
    elif SOURCE_KINDS[source.kind] == "file":
        yield from _missing_file(f"{key}.{source.kind}", source.path)
    if "frame_rate" in source.model_fields_set and source.kind != "frames":
        what = f"{key}.frame_rate belongs to extracted frames; videos tell their own"
        yield {"what": what, "expected": "no such key, or the key frames", "got": source.kind, "hint": "remove it"}


def _run_contradictions(name: str, run: PretrainingSettings, config: Config) -> Iterator[dict[str, Any]]:
    yield from _unknown(f"pretraining.{name}.pool", [run.pool], config.pools)
    yield from _initial_contradictions(name, run, config)
    pool = config.pools.get(run.pool)
    if pool and run.method == "simhand" and run.neighbour_rank not in pool.ranks():
        further = f", or one of its further_ranks {list(pool.further_ranks)}" if pool.further_ranks else ""
        yield {
            "what": f"pretraining.{name}.neighbour_rank is not mined",
            "expected": f"at most pools.{run.pool}.neighbours = {pool.neighbours}{further}",
            "got": run.neighbour_rank,
            "hint": f"add it to pools.{run.pool}.further_ranks",
        }
    if name in _finetuned_runs(config.experiment) and run.encoder != config.finetuning.encoder:
        yield {
            "what": f"pretraining.{name}.encoder is not the encoder that is fine-tuned",
            "expected": f"finetuning.encoder = {config.finetuning.encoder}",
            "got": run.encoder,
        }


def _finetuned_runs(experiment: ExperimentSettings) -> set[str]:
    """The named runs from which something is fine-tuned, or which tell how others are made from which it is."""
    return {*experiment.runs, *(experiment.paper.methods.values() if experiment.paper else ())}


def _paper_contradictions(paper: PaperSettings, config: Config) -> Iterator[dict[str, Any]]:
    for key, known, defined in (
        ("methods", METHODS, config.pretraining),
        ("pools", POOLS, config.pools),
        ("labelled", LABELLED, config.labelled),
    ):
        named: dict[str, str] = getattr(paper, key)
        yield from _unknown(f"experiment.paper.{key}", named, dict.fromkeys(known))
        yield from _unknown(f"experiment.paper.{key}", named.values(), defined)
    for method, name in paper.methods.items():
        if config.pretraining[name].method != METHODS[method]:
            yield {
                "what": f"experiment.paper.methods.{method} is a run of another method",
                "where": f"pretraining.{name}",
                "expected": f"method: {METHODS[method]}",
                "got": config.pretraining[name].method,
            }


def _initial_contradictions(name: str, run: PretrainingSettings, config: Config) -> Iterator[dict[str, Any]]:
    key = f"pretraining.{name}.initial"
    if run.initial_file is not None and not run.initial_file.is_file():
        expected = "random, imagenet, run:NAME, or an existing file"
        yield {"what": f"{key}: no such file", "expected": expected, "got": run.initial_file}
    if run.initial_run is None:
        return
    yield from _unknown(key, [run.initial_run], config.pretraining)
    before = config.pretraining.get(run.initial_run)
    if before and before.encoder != run.encoder:
        expected = f"encoder: {before.encoder}"
        yield {"what": f"{key}: an encoder of another kind", "expected": expected, "got": run.encoder}
    line = _descent(name, config)
    if line[-1] in line[:-1]:
        yield {"what": f"{key}: runs start from each other", "got": " from ".join(line)}


def _descent(name: str, config: Config) -> list[str]:
    """A run, the run that it starts from, and so on; ends at the first that comes twice."""
    line = [name]
    while (before := config.pretraining[line[-1]].initial_run) in config.pretraining:
        line.append(before)
        if before in line[:-1]:
            break
    return line


def _unannotated(name: str, pool: PoolSettings, config: Config) -> Iterator[dict[str, Any]]:
    """The sources of a pool that cannot give the similar hands that it is to take from annotations."""
    sources = [source for source in pool.sources if source in config.sources]
    strangers = [source for source in sources if not config.sources[source].annotations]
    if pool.similar == "annotated" and strangers:
        yield {
            "what": f"pools.{name}.similar: annotated similar hands of a source without annotations",
            "expected": "sources with the key annotations",
            "got": ", ".join(strangers),
            "hint": "similar: mined",
        }
    if pool.similar == "annotated" and pool.further_ranks:
        yield {"what": f"pools.{name}.further_ranks: these are mined", "expected": "similar: mined", "got": "annotated"}


def _same_source_twice(name: str, pool: PoolSettings, config: Config) -> Iterator[dict[str, Any]]:
    """Two sources of a pool with the same videos: each hand's nearest in "another" video would be its own copy."""
    places: dict[Path, str] = {}
    for source in pool.sources:
        if source in config.sources:
            path = config.sources[source].path.resolve()
            if (first := places.setdefault(path, source)) != source:
                yield {
                    "what": f"pools.{name}.sources: two sources of a pool are the same",
                    "where": path,
                    "expected": "sources with videos of their own: similar hands are sought in other videos",
                    "got": f"{first} and {source}",
                }


def _missing_folder(key: str, path: Path) -> dict[str, Any]:
    is_demo = path.parts[:1] == ("demo",)
    hint = "`make demo` renders the demo's videos and labels, in minutes; your own configuration: --configfile my.yaml"
    return {
        "what": f"{key}: no such folder",
        "expected": "an existing folder",
        "got": path,
        "hint": hint if is_demo else None,
    }


def _missing_file(key: str, path: Path | None) -> Iterator[dict[str, Any]]:
    if path is not None and not path.is_file():
        yield {"what": f"{key}: no such file", "expected": "an existing file, or nothing", "got": path}


def _unknown(key: str, names: Any, known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in names:
        if name not in known:
            expected = f"one of {', '.join(known) or '(none defined)'}"
            yield {
                "what": f"{key}: unknown name",
                "expected": expected,
                "got": name,
                "hint": did_you_mean(name, list(known)),
            }


def check_videos_once(config: Config, videos: Mapping[str, list[Video]]) -> None:
    """Refuses a pool two of whose sources have the same file, as a folder and a folder in it have, or a link to that.

    Raises:
        ConfigError: names the pool, the file and both sources.
    """
    real_folder = cache(os.path.realpath)  # of a hundred thousand videos a few
    for pool_name, pool in config.pools.items():
        seen: dict[tuple[str, str], str] = {}
        for source in pool.sources if len(pool.sources) > 1 else ():
            for video in videos.get(source, []):
                folder, name = os.path.split(video.path)
                first = seen.setdefault((real_folder(folder), name), source)
                if first != source:
                    raise ConfigError(
                        f"pools.{pool_name}.sources: two sources of a pool have the same video",
                        where=video.path,
                        expected="each video once: similar hands are sought in other videos",
                        got=f"in {first} and in {source}",
                    )


def check_pool_sizes(config: Config, videos: Mapping[str, list[Video]]) -> None:
    """Refuses a pool that is larger than its sources can fill, before any job starts.

    The bound is what the containers state: duration x fps x hands in a frame. The exact number is known, and checked
    again, when the pool is drawn.

    Raises:
        ConfigError: names the pool and the most hands that its sources can have.
    """
    for name, pool in config.pools.items():
        frames = [max_frames(videos[name], config.sampling.fps) if name in videos else None for name in pool.sources]
        if pool.size is None or None in frames:
            continue
        hands = config.detection.max_hands
        most = sum(count for count in frames if count is not None) * hands
        if pool.size > most:
            raise ConfigError(
                f"pools.{name}.size is larger than its sources",
                expected=f"at most {most}: {hands} hands in each frame of {', '.join(pool.sources)}",
                got=pool.size,
                hint="leave size empty to take every hand",
            )
