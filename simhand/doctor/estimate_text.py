"""The estimate as people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simhand.config import Config
from simhand.doctor import amounts
from simhand.doctor.bootstrap import COVERED, Range
from simhand.doctor.estimate import Estimate, sum_of
from simhand.doctor.measuring import Measured
from simhand.doctor.training_time import GPU_TFLOPS, assumed_gpu_s, images, measured_s
from simhand.pretraining.settings import PretrainingSettings

_SHOWN = 5  # videos that were not read in full


def estimate_text(found: Estimate, measured: Sequence[Measured], videos: int, config: Config, cores: int) -> str:
    """What is expected, and what is assumed for that.

    Args:
        found: the estimate.
        measured: the videos that were looked at.
        videos: how many there are.
        config: the configuration.
        cores: of this machine.
    """
    brackets = f"; in brackets the range that is meant to hold the truth {COVERED * 10:.0f} times in 10"
    in_full = len(measured) == videos and all(one.looked == 1 for one in measured)
    parts = [f"Estimate from {len(measured):,} of {videos:,} videos{'' if in_full else brackets}:"]
    parts += [_problems(measured), _rows({name: amounts.count(value) for name, value in found.counts.items()})]
    disk = {name: amounts.size(value) for name, value in found.disk_mb.items()}
    disk["together"] = amounts.size(sum_of(list(found.disk_mb.values())))
    parts += ["Disk, up to the similar hands (checkpoints and encoders of training are not in it):", _rows(disk)]
    time = {name: amounts.time(value) for name, value in found.cpu_s.items()}
    together = sum_of(list(found.cpu_s.values()))
    time["together"] = f"{amounts.time(together)}; on {cores} cores {amounts.time(together.times(1 / cores))}"
    busy = "ranges are those of the amounts, a busy machine takes up to twice as long"
    parts += [f"Time of one core such as this machine's{_detector_note(config)}; {busy}:", _rows(time)]
    parts += [_training(found.hands_in_pools, config.pretraining), _left_out(found, config)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _problems(measured: Sequence[Measured]) -> str:
    bad = [one for one in measured if one.problem]
    if not bad:
        return ""
    lines = [f"  {one.video.video_id}: {one.problem}" for one in bad[:_SHOWN]]
    return "\n".join([f"{len(bad)} of these {len(measured)} could not be read in full:", *lines])


def _rows(values: Mapping[str, str]) -> str:
    width = max(map(len, values))
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in values.items())


def _detector_note(config: Config) -> str:
    if config.detection.detector == "mediapipe":
        return ""
    return " (hundred_doh as it ran here: on a GPU if there is one; what others take was not measured)"


def _training(hands: Mapping[str, Range], runs: Mapping[str, PretrainingSettings]) -> str:
    """Fine-tuning depends on labels, not on videos."""
    if not runs:
        return ""
    known = {name: run for name, run in runs.items() if run.pool in hands}
    rows = {name: _run(run, hands[run.pool]) for name, run in known.items()}
    slow, fast = GPU_TFLOPS
    text = f"""Pre-training, by the hands of its pool and its epochs. Here: by seconds of the encoder alone, and up
to 1.4 times that for all else. GPU: assumed, not measured, for one that reaches {slow:.0f} to {fast:.0f} TFLOP/s in
training, as those of data centres may. Fine-tuning depends on labels, not on videos, and is not estimated."""
    return f"{text}\n\n{_rows(rows)}" if rows else ""


def _left_out(found: Estimate, config: Config) -> str:
    names = [name for name in config.pools if name not in found.hands_in_pools]
    return f"Not estimated, as hands of theirs are annotated: {', '.join(names)}, and their runs." if names else ""


def _run(run: PretrainingSettings, hands: Range) -> str:
    count = hands.times(images(run, 1))
    here = amounts.time(_seconds(count, *measured_s(run)))
    there = amounts.time(_seconds(count, *assumed_gpu_s(run)))
    return f"{amounts.count(count)} images; here {here}; on a GPU {there}"


def _seconds(count: Range, fastest: float, slowest: float) -> Range:
    middle = (fastest * slowest) ** 0.5
    return Range(count.expected * middle, count.low * fastest, count.high * slowest)
