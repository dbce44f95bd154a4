"""What can be set about fine-tuning on labelled hands."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from simhand.settings import Settings

NO_PRETRAINING = "none"
"""Names the run that starts from random weights, which every pre-training run is compared with."""

Behaviour = Literal["paper", "official"]
EXECUTION = {"device", "workers", "checkpoint_every_epochs"}  # how a run goes, not what comes out


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
    augment: bool = Field(True, description="random shift, scale, rotation and colour of training images")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="bfloat16: mixed precision (autocast)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    processes: int = Field(1, ge=1, description="that share each batch, one a GPU")
    workers: int = Field(
        0, ge=0, description="processes that decode images, for each that trains; 0: the latter itself"
    )
    checkpoint_every_epochs: int = Field(1, ge=1, description="an interrupted run loses at most so many epochs")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.head == "regression25d" and self.encoder == "resnet50_dilated":
            raise ValueError("head regression25d needs an encoder of torchvision's, not resnet50_dilated")
        return self


class ReadSettings(Settings):
    """How a labelled set is read."""

    behaviour: Behaviour = "paper"
    setup: Literal["s0", "s1", "s2", "s3"] = "s1"  # DexYCB's splits
    backgrounds: tuple[Literal["gs", "hom", "sample", "auto"], ...] = ("gs", "hom", "sample", "auto")  # FreiHAND's


LABEL_FILES = {
    "freihand": tuple(f"{split}_{kind}.json" for split in ("training", "evaluation") for kind in ("K", "xyz")),
}
"""The files that hold the labels of a set, by its layout: what fine-tuning depends on besides the images."""
