"""What can be set about contrastive pre-training."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from simhand.settings import Settings

EncoderName = Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


class AugmentationSettings(Settings):
    """Random views of a crop (paper section 4.1); the defaults are those of the official configuration."""

    rotation_deg: float = Field(45.0, ge=0, description="rotated by up to so many degrees either way (PeCLR, SiMHand)")
    crop_margin: tuple[float, float] = Field(
        (0.9, 1.5),
        description="half side of the random crop, in units of the farthest keypoint's distance (PeCLR, SiMHand)",
    )
    fixed_crop_margin: float = Field(1.25, gt=0, description="the same for SimCLR, which draws none")
    jitter_px: float = Field(15.0, ge=0, description="moved right and down by up to so many px of the stored crop")
    hue: tuple[float, float] = Field((0.01, 1.0), description="range of the factor on hue")
    saturation: tuple[float, float] = Field((0.01, 1.0), description="range of the factor on saturation")
    value: tuple[float, float] = Field((0.5, 1.0), description="range of the factor on brightness")
    value_shift: tuple[float, float] = Field((5.0, 20.0), description="range of what is added to brightness (of 255)")

    @field_validator("crop_margin", "hue", "saturation", "value", "value_shift")
    @classmethod
    def _is_a_range(cls, limits: tuple[float, float], info: ValidationInfo) -> tuple[float, float]:
        if not 0 <= limits[0] <= limits[1] or (info.field_name == "crop_margin" and limits[0] == 0):
            raise ValueError(f"{list(limits)} is no range of positive numbers from low to high")
        return limits


class PretrainingSettings(Settings):
    """One pre-training run: a method on a pool, with its settings."""

    method: Literal["simclr", "peclr", "simhand"] = Field(
        description="simclr, peclr: two views of one hand; simhand: a hand and its mined neighbour"
    )
    pool: str = Field(description="the pool that is trained on")
    weighting: Literal["none", "linear", "sigmoid"] = Field(
        "none", description="adaptive weights from keypoint distances (paper: linear, for simhand)"
    )
    sigmoid_lambda: tuple[float, float] = Field(
        (5.0, 0.05), description="slopes for positives and negatives (paper: Eq. 4)"
    )
    neighbour_rank: int = Field(1, ge=1, description="simhand: which mined neighbour is the positive")
    encoder: EncoderName = Field("resnet50", description="torchvision's ResNet of this name")
    initial_weights: Path | None = Field(
        None, description="a torchvision state_dict to start from (ImageNet, say); empty: random"
    )
    projection_hidden: int = Field(512, ge=2, description="hidden width of the projection head")
    projection_dim: int = Field(128, ge=2, multiple_of=2, description="width of the embedding that is contrasted")
    temperature: float = Field(0.5, gt=0, description="of the contrastive loss")
    image_size: int = Field(128, ge=32, description="pixels of the side of a view")
    augmentation: AugmentationSettings = Field(default_factory=AugmentationSettings, description="random views")
    epochs: int = Field(100, ge=1, description="passes over the pool")
    batch_size: int = Field(128, ge=2, description="pairs in one step")
    learning_rate: float = Field(3.2e-3, gt=0, description="of Adam under LARS, at its peak")
    weight_decay: float = Field(1e-6, ge=0, description="not on biases and batch norm")
    warmup_epochs: float = Field(
        10.0, ge=0, description="the learning rate climbs for so long, then falls along a cosine"
    )
    precision: Literal["float32", "bfloat16"] = Field("float32", description="bfloat16: mixed precision (autocast)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    workers: int = Field(0, ge=0, description="processes that decode crops; 0: the training process itself")
    checkpoint_every_steps: int = Field(500, ge=1, description="an interrupted run loses at most so many steps")
    seed: int = Field(0, ge=0, description="of weights, order and views")

    @model_validator(mode="after")
    def _leaves_time_to_train(self) -> Self:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs ({self.warmup_epochs}) must be less than epochs ({self.epochs})")
        return self
