"""The text of a new configuration, whose comments teach."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from simhand.start.choices import Training, hands, query_shards, shards
from simhand.start.found import Found

_COLUMN = 31  # where comments begin
_HEAD = """\
# What simhand does, and with what; written by `simhand init`. Edit it: after a change only what it affects runs again.
# Keys that are not here have defaults; docs/configuration.md lists all of them.
"""
_STAGES = """
# Stage 2. Frames are taken by time, whatever a video's frame rate. Twice as many cost twice as much, and neighbouring
# frames show nearly the same hands.
sampling:
  fps: 1

# Stage 3. Who finds the hands. hundred_doh, the paper's detector, needs its authors' weights: docs/detection.md.
detection:
  detector: mediapipe
  # detector: hundred_doh
  # weights: /weights/faster_rcnn_1_8_132028.pth

# Stage 4. Which hands stay. All that were found stay in the tables, so that another choice looks for none anew.
selection:
  min_box_px: 0                # by its box's longer side, in pixels of the frame; 60 leaves out small hands
balance:
  enabled: true                # as many left as right hands; false keeps all
"""
_ON_GPUS = """\
    micro_batch: 512           # pairs that a GPU embeds at once; fewer take less of its memory
    processes: {gpus}               # one a GPU
    workers: {workers}                 # processes that decode images, for each GPU
"""
_RUNS = """\
  simhand:
    method: simhand            # a hand's positive is its most similar hand of another video
    weighting: linear          # the more similar, the more it counts
  # peclr:                     # to compare: name it in experiment.runs too
  #   method: peclr            # two views of one hand, whose geometry is undone
"""
_NO_LABELS = """
# Labelled sets, on which an encoder shows what it is worth. None was named. FreiHAND, DexYCB and AssemblyHands are read
# as they are downloaded; to compare, uncomment:
# labelled:
#   freihand: {path: /data/FreiHAND_pub_v2}
# finetuning: {encoder: ENCODER}
# experiment: {runs: [none, simhand], labelled: [freihand]}
"""


def names(found: list[Found]) -> dict[str, Found]:
    """What things are called in the configuration: as their folders or files, or their layouts, each name once."""
    taken: dict[str, Found] = {}
    for one in found:
        name = base = one.labelled.format if one.labelled else _name(one.path)
        number = 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken[name] = one
    return taken


def _name(path: Path) -> str:
    """Letters, digits and - of a file's name; of a folder called videos, say, that of the folder above."""
    full = path.resolve()
    base = full.parent.name if full.name.lower() in {"videos", "frames", "images"} and full.parent.name else full.name
    base = base if full.is_dir() else base.partition(".")[0]
    name = re.sub(r"[^a-z0-9]+", "-", base.lower()).strip("-") or "data"
    return name if yaml.safe_load(name) == name else f"data-{name}"  # to YAML 2024 is a number, and on is true


def configuration(
    sources: Mapping[str, Found], labelled: Mapping[str, Found], chosen: Training, images: Path | None
) -> str:
    """A whole configuration (YAML).

    Args:
        sources: of hands, by name.
        labelled: sets, by name.
        chosen: how networks are trained.
        images: the folder that annotations start from, where a source is one.
    """
    annotated = [name for name, source in sources.items() if source.kind == "annotations"]
    pools = _pools([name for name in sources if name not in annotated], annotated, sources)
    blocks = [_HEAD, _sources(sources, images), "" if len(annotated) == len(sources) else _STAGES, pools]
    blocks += [_pretraining(chosen, "released" if len(annotated) == len(sources) else _pool(sources))]
    blocks += [_comparison(labelled, chosen) if labelled else _NO_LABELS.replace("ENCODER", _encoder(chosen))]
    return "".join(blocks)


def _line(text: str, comment: str = "") -> str:
    return f"{text:<{_COLUMN - 1}} # {comment}\n" if comment else f"{text}\n"


def _text(path: Path) -> str:
    """A path, in quotes where YAML needs them."""
    return str(yaml.safe_dump(str(path), width=10_000, allow_unicode=True).removesuffix("...\n").strip())


def _sources(sources: Mapping[str, Found], images: Path | None) -> str:
    text = "\n# Where hands come from, by name. `simhand doctor` estimates what they will cost.\nsources:\n"
    for name, source in sources.items():
        text += _line(f"  {name}:", source.said)
        text += f"    {source.kind}: {_text(source.path)}\n"
        if source.kind == "annotations":
            text += f"    images: {_text(images or Path())}\n"
        if source.kind == "frames":
            text += _line("    frame_rate: 30", "a second: what the numbers in the images' names count")
        text += _line(f"    shards: {shards(source)}", "jobs that the work is cut into; of many videos 50 to 150 each")
    return text


def _pool(sources: Mapping[str, Found]) -> str:
    """What the pool of mined hands is called: as the only source, or all."""
    return next(iter(sources)) if len(sources) == 1 else "all"


def _pools(mined: list[str], annotated: list[str], sources: Mapping[str, Found]) -> str:
    text = "\n# Stages 7 to 9. Pools of hands, in which the most similar of other videos are looked for.\npools:\n"
    if mined:
        text += f"  {_pool(sources)}:\n    sources: [{', '.join(mined)}]\n"
        text += _line("    size:", "how many hands; empty: all. The paper's are 100,000 to 2 million")
        text += _line("    neighbours: 10", "K: how many similar hands are kept for each")
        guess = hands([sources[name] for name in mined])
        text += _line(f"    query_shards: {query_shards(guess)}", "jobs that the search is cut into")
    if annotated:
        text += f"  released:\n    sources: [{', '.join(annotated)}]\n"
        text += _line("    similar: annotated", "the pairs that the JSON names; mined: ours, on its hands")
    return text


def _encoder(chosen: Training) -> str:
    return "resnet50" if chosen.gpus else "resnet18"


def _pretraining(chosen: Training, pool: str) -> str:
    small = "" if chosen.gpus else " Small, for a machine without a GPU: to see it run."
    text = f"\n# Stage 10. Pre-training runs, by name; `defaults` holds what they share.{small}\npretraining:\n"
    text += _line("  defaults:")
    text += _line(f"    pool: {pool}")
    text += _line(f"    encoder: {_encoder(chosen)}", "" if chosen.gpus else "the paper's is resnet50")
    text += _line(f"    image_size: {_image_size(chosen)}", "pixels; the paper's 128")
    text += _line(f"    epochs: {100 if chosen.gpus else 10}", "passes over the pool; the paper's 100")
    text += "" if chosen.gpus else _line("    warmup_epochs: 1")
    text += _line(f"    batch_size: {chosen.batch_size}", "pairs in a step; the paper's 8192")
    text += _line(f"    precision: {'bfloat16' if chosen.bfloat16 else 'float32'}")
    return text + (_ON_GPUS.format(gpus=chosen.gpus, workers=chosen.workers) if chosen.gpus else "") + _RUNS


def _image_size(chosen: Training) -> int:
    return 128 if chosen.gpus else 64


def _comparison(labelled: Mapping[str, Found], chosen: Training) -> str:
    text = "\n# Hand images with 3D keypoints, by name.\nlabelled:\n"
    for name, one in labelled.items():
        assert one.labelled is not None
        text += f"  {name}:\n    format: {one.labelled.format}\n    path: {_text(one.path)}\n"
        if one.labelled.evaluation_split == "val":
            text += _line("    evaluation_split: val", "the joints of test are not at hand")
    text += "\n# Stage 11. DetNet, trained on labelled hands from each encoder.\nfinetuning:\n"
    text += _line(f"  encoder: {_encoder(chosen)}", "the same as in pre-training")
    text += _line(f"  image_size: {_image_size(chosen)}")
    text += _line(f"  epochs: {120 if chosen.gpus else 20}", "the paper's 120")
    text += _line(f"  batch_size: {128 if chosen.gpus else 16}", "the paper's 128")
    text += _line(f"  precision: {'bfloat16' if chosen.bfloat16 else 'float32'}")
    text += _line(f"  workers: {chosen.workers}", "processes that decode images") if chosen.gpus else ""
    text += "\n# What is compared with what: each run on each labelled set.\nexperiment:\n"
    text += _line("  runs: [none, simhand]", "none: without pre-training")
    text += f"  labelled: [{', '.join(labelled)}]\n"
    text += _line("  label_percents: [100]", "[10, 100] trains on a tenth of the labels too")
    return text + _line("  seeds: [0]", "[0, 1, 2] gives means and deviations, at three times the cost")
