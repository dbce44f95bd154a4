"""What can be set about fine-tuning DetNet on labelled hands."""

from typing import Literal

from pydantic import Field

from simhand.settings import Settings

NO_PRETRAINING = "none"
"""Names the run that starts from random weights, which every pre-training run is compared with."""


class FinetuningSettings(Settings):
    """DetNet on an encoder: heat maps, bone directions and joint locations from one image (paper: section 4.1)."""

    encoder: Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"] = Field(
        "resnet50", description="torchvision's ResNet of this name; the same as in the pre-training runs"
    )
    image_size: int = Field(128, ge=32, multiple_of=32, description="pixels of the side of an input image")
    epochs: int = Field(120, ge=1, description="passes over the training images")
    batch_size: int = Field(128, ge=1, description="images in one step")
    learning_rate: float = Field(1e-3, gt=0, description="of Adam")
    decay_every_epochs: int = Field(
        250, ge=1, description="the learning rate is divided by ten after each so many epochs"
    )
    heatmap_weight: float = Field(100.0, ge=0, description="weight of the heat-map loss")
    direction_weight: float = Field(1.0, ge=0, description="weight of the bone-direction loss")
    location_weight: float = Field(10.0, ge=0, description="weight of the joint-location loss")
    augment: bool = Field(True, description="random shift, scale, rotation and colour of training images")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="bfloat16: mixed precision (autocast)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    workers: int = Field(0, ge=0, description="processes that decode images; 0: the training process itself")
    checkpoint_every_epochs: int = Field(1, ge=1, description="an interrupted run loses at most so many epochs")


LABEL_FILES = {
    "freihand": tuple(f"{split}_{kind}.json" for split in ("training", "evaluation") for kind in ("K", "xyz")),
}
"""The files that hold the labels of a set, by its layout: what fine-tuning depends on besides the images."""
