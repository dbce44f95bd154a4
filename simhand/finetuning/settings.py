"""What can be set about fine-tuning on labelled hands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from simhand.pretraining.nodes import check_nodes
from simhand.settings import Settings

NO_PRETRAINING = "none"
"""Names the run that starts from random weights, which every pre-training run is compared with."""

Behaviour = Literal["paper", "official"]
EXECUTION = {"device", "nodes", "workers", "checkpoint_every_epochs"}  # how a run goes, not what comes out


class FinetuningSettings(Settings):
    """A 3D hand pose head on an encoder, trained on labelled images (paper: section 4.1)."""

    behaviour: Behaviour = Field(
        "paper", description="where the official code has defects, official restores them: docs/differences.md"
    )
    head: Literal["detnet", "regression25d"] = Field(
        "detnet",
        description="detnet: heat maps, bone directions and joint locations, as in the paper; regression25d: 2.5D "
        "keypoints by regression, as in PeCLR",
    )
    encoder: Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnet50_dilated"] = Field(
        "resnet50",
        description="torchvision's ResNet of this name, the same as in the pre-training runs; resnet50_dilated: "
        "DetNet's original one, which no pre-training run has",
    )
    image_size: int = Field(128, ge=32, multiple_of=32, description="pixels of the side of an input image")
    epochs: int = Field(120, ge=1, description="passes over the training images")
    batch_size: int = Field(128, ge=1, description="images in one step, over all processes")
    learning_rate: float = Field(1e-3, gt=0, description="of Adam")
    decay_every_epochs: int = Field(
        250, ge=1, description="the learning rate is divided by ten after each so many epochs"
    )
    patience_epochs: int | None = Field(
        None,
        ge=1,
        description="stop after so many epochs without a lower error on held-out training labels, and keep the best "
        "epoch's weights; empty: train all epochs on all labels",
    )
    held_out_percent: int = Field(10, ge=1, le=50, description="with patience_epochs: how many labels are held out")
    heatmap_weight: float = Field(100.0, ge=0, description="detnet: weight of the heat-map loss")
    direction_weight: float = Field(1.0, ge=0, description="detnet: weight of the bone-direction loss")
    location_weight: float = Field(10.0, ge=0, description="detnet: weight of the joint-location loss")
    l2_weight: float = Field(
        0.0, ge=0, description="weight of the sum of all squared weights (the paper's L_reg; officially none)"
    )
    evaluation_crops: Literal["keypoints", "peclr"] = Field(
        "keypoints",
        description="keypoints: evaluation hands are cut out by their true keypoints, as the paper does; peclr: in two "
        "passes from the middle of a square image, without labels, as PeCLR evaluates on FreiHAND",
    )
    augment: bool = Field(True, description="random shift, scale, rotation and colour of training images")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="bfloat16: mixed precision (autocast)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    processes: int = Field(1, ge=1, description="that share each batch, one a GPU")
    nodes: int = Field(1, ge=1, description="that share the processes, as many each; several: in Slurm")
    workers: int = Field(
        0, ge=0, description="processes that decode images, for each that trains; 0: the latter itself"
    )
    checkpoint_every_epochs: int = Field(1, ge=1, description="an interrupted run loses at most so many epochs")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.head == "regression25d" and self.encoder == "resnet50_dilated":
            raise ValueError("head regression25d needs an encoder of torchvision's, not resnet50_dilated")
        check_nodes(self.processes, self.nodes)
        return self


Format = Literal["freihand", "dexycb", "assemblyhands"]
Setup = Literal["s0", "s1", "s2", "s3"]
Background = Literal["gs", "hom", "sample", "auto"]
EvaluationSplit = Literal["val", "test"]
BACKGROUNDS: tuple[Background, ...] = get_args(Background)


class PartSettings(Settings):
    """Which part of a labelled set is used."""

    setup: Setup = Field(
        "s1",
        description="dexycb: its split; s0 unseen sequences, s1 unseen people, s2 unseen cameras, s3 unseen objects",
    )
    backgrounds: tuple[Background, ...] = Field(
        BACKGROUNDS,
        min_length=1,
        description="freihand: which of the four versions of each training image; gs: as filmed, before a green screen",
    )
    evaluation_split: EvaluationSplit = Field(
        "test", description="assemblyhands: what is evaluated; val where the joints of test are not at hand"
    )


class ReadSettings(PartSettings):
    """How a labelled set is read."""

    behaviour: Behaviour = "paper"


PART_KEYS: dict[Format, tuple[str, ...]] = {
    "freihand": ("backgrounds",),
    "dexycb": ("setup",),
    "assemblyhands": ("evaluation_split",),
}
"""The keys of PartSettings that a layout knows."""


def _assemblyhands_files(split: str) -> tuple[str, ...]:
    kinds = ("ego_data", "ego_calib", "joint_3d")
    return tuple(f"annotations/{split}/assemblyhands_{split}_{kind}_v1-1.json" for kind in kinds)


def label_files(root: Path, layout: Format, part: PartSettings) -> list[Path]:
    """The files that hold the labels of a set: what fine-tuning depends on besides the images.

    Of DexYCB, whose labels are one file a frame, those that are small and few: calibration and `meta.yml` of each
    sequence that is there; or, where there are none, one that would be.
    """
    if layout == "freihand":
        names = [f"{split}_{kind}.json" for split in ("training", "evaluation") for kind in ("K", "xyz")]
    elif layout == "assemblyhands":
        names = [*_assemblyhands_files("train"), *_assemblyhands_files(part.evaluation_split)]
    else:
        return [*_dexycb_files(root)]
    return [root / name for name in names]


def _dexycb_files(root: Path) -> Iterator[Path]:
    for pattern, example in (
        ("calibration/intrinsics/*.yml", "calibration/intrinsics/836212060125_640x480.yml"),
        ("*-subject-*/*/meta.yml", "20200709-subject-01/20200709_141754/meta.yml"),
    ):
        yield from sorted(root.glob(pattern)) or [root / example]


class LabelledSettings(PartSettings):
    """A set of hand images with 3D keypoints, in the layout in which it is downloaded."""

    format: Format = Field(
        "freihand",
        description="its layout; freihand: training/rgb, training_K.json, ...; dexycb: 20200709-subject-01, "
        "calibration, ...; assemblyhands: annotations, images",
    )
    path: Path = Field(description="the folder")

    @model_validator(mode="after")
    def _of_its_format(self) -> Self:
        """A key of another layout would be without effect."""
        known = PART_KEYS[self.format]
        stray = sorted(self.model_fields_set & set(PartSettings.model_fields) - set(known))
        if stray:
            raise ValueError(f"{', '.join(stray)}: no key of format {self.format}, which knows {', '.join(known)}")
        return self

    def reading(self, behaviour: Behaviour) -> ReadSettings:
        """How it is read by fine-tuning of that behaviour."""
        return ReadSettings(behaviour=behaviour, **{name: getattr(self, name) for name in PART_KEYS[self.format]})

    def label_files(self) -> list[Path]:
        """The files that hold the labels; see `label_files`."""
        return label_files(self.path, self.format, self)
