"""The course of `simhand doctor`: from the machine to the configuration, its sources, and the estimate."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from simhand.config import Config, check_pool_sizes, check_videos_once
from simhand.config_file import read_config
from simhand.doctor import amounts
from simhand.doctor.finding import Finding, Grade, ok, problem, warning
from simhand.doctor.machine import Trained, check_load, check_machine
from simhand.doctor.tools import check_tools
from simhand.doctor.versions import check_versions
from simhand.errors import ConfigError, SimhandError
from simhand.videos.index import Video
from simhand.videos.sources import ONLY_LOOK, copies, update_index

_RESULTS = Path("results")


def examine(configfile: Path, sample: int, seed: int, out: TextIO) -> bool:
    """Looks at all of it, and writes what was found line by line.

    Args:
        configfile: the configuration.
        sample: videos that the estimate is made from.
        seed: of drawing them.
        out: what is written to.

    Returns:
        whether there is a problem.
    """
    findings: list[Finding] = []

    def tell(some: Iterator[Finding]) -> None:
        for finding in some:
            out.write(f"{finding}\n")
            out.flush()
            findings.append(finding)

    if not Path("Snakefile").is_file():
        advice = "call it in the checkout, where you call snakemake"
        tell(iter([warning(f"there is no workflow in {Path.cwd()}", advice)]))
    tell(check_versions())
    config, said = _load(configfile)
    tell(iter([said]))
    if config is None:
        tell(check_machine({}, None, _RESULTS))
        out.write(_counted(findings))
        return True
    tell(check_tools(config))
    tell(check_machine(_trained(config), config.detection, _RESULTS))
    videos: dict[str, list[Video]] = {}
    tell(_look_at_sources(config, videos))
    if sample > 0 and videos and not _is_any(findings, Grade.PROBLEM):
        from simhand.doctor.estimation import estimate_sources  # noqa: PLC0415 - needs what the stages need

        tell(check_load())
        tell(estimate_sources(config, videos, sample, seed, out))
    out.write(_counted(findings))
    return _is_any(findings, Grade.PROBLEM)


def _counted(findings: Sequence[Finding]) -> str:
    counts = [(sum(one.grade is grade for one in findings), grade.value) for grade in (Grade.PROBLEM, Grade.WARNING)]
    return "\n" + ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts) + ".\n"


def _is_any(findings: Sequence[Finding], grade: Grade) -> bool:
    return any(finding.grade is grade for finding in findings)


def _load(path: Path) -> tuple[Config | None, Finding]:
    try:
        config = read_config(path)
    except ConfigError as error:
        return None, problem(_lines(error), "mend it; docs/configuration.md lists all keys")
    counts = {"source": len(config.sources), "pool": len(config.pools), "pre-training run": len(config.pretraining)}
    parts = [f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items()]
    models = len(config.experiment.runs) * len(config.experiment.labelled) * len(config.experiment.seeds)
    return config, ok(f"{path}: {', '.join(parts)}, {models * len(config.experiment.label_percents)} fine-tuned models")


def _lines(error: SimhandError) -> str:
    return "\n         ".join(str(error).splitlines())


def _trained(config: Config) -> dict[str, Trained]:
    runs: dict[str, Trained] = {f"pretraining.{name}": run for name, run in config.pretraining.items()}
    return {**runs, "finetuning": config.finetuning} if config.experiment.runs else runs


def _look_at_sources(config: Config, videos: dict[str, list[Video]]) -> Iterator[Finding]:
    """Lists the videos of each source into `videos`; a first look is kept, for snakemake to go on from."""
    for name, source in config.sources.items():
        if source.kind == "annotations":
            yield ok(f"source {name}: annotated hands, {source.path} (not estimated)")
            continue
        index = _RESULTS / "videos" / name / "index.tsv"
        try:
            videos[name] = _indexed(source.kind, source.path, index, source.frame_rate)
        except SimhandError as error:
            yield problem(f"source {name}: {_lines(error)}", "mend what it names, or the source in the configuration")
            continue
        yield _source(name, videos[name])
        if found := copies(videos[name]):
            yield warning(f"source {name}: {found}", "remove them: hands of copies are each other's most similar")
    try:
        check_videos_once(config, videos)
        check_pool_sizes(config, {name: videos.get(name, []) for name in config.sources if name in videos})
    except ConfigError as error:
        yield problem(_lines(error), "mend it in the configuration")
    yield from _check_pools(config, videos)


def _check_pools(config: Config, videos: Mapping[str, Sequence[Video]]) -> Iterator[Finding]:
    """Similar hands are those of other videos."""
    for name, pool in config.pools.items():
        if set(pool.sources) <= videos.keys() and sum(len(videos[source]) for source in pool.sources) == 1:
            yield problem(f"pool {name}: similar hands are those of other videos, and there is one", "add videos")


def _indexed(kind: str, path: Path, index: Path, frame_rate: float) -> list[Video]:
    before = os.environ.get(ONLY_LOOK)
    if index.exists():  # jobs that run meanwhile read it
        os.environ[ONLY_LOOK] = "1"
    try:
        return update_index(kind, path, index, frame_rate=frame_rate)
    finally:
        if before is None:
            os.environ.pop(ONLY_LOOK, None)


def _seconds(videos: Sequence[Video]) -> float:
    return sum(max(0.0, video.duration_s) for video in videos)


def _source(name: str, videos: Sequence[Video]) -> Finding:
    long, large = (amounts.exactly(value) for value in (_seconds(videos), sum(one.size_bytes for one in videos) / 1e6))
    count = f"{len(videos):,} video{'s' if len(videos) > 1 else ''}"
    text = f"source {name}: {count}, {amounts.time(long)}, {amounts.size(large)}"
    bad = [video for video in videos if video.unreadable or video.duration_s == 0]
    if bad:
        advice = "they count as failed; pools stop where too many do (max_failed_videos)"
        return warning(f"{text}; {len(bad)} cannot be opened, {bad[0].video_id} for one", advice)
    return ok(text)
