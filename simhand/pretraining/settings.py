"""What can be set about contrastive pre-training."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from simhand.pretraining.nodes import check_nodes
from simhand.settings import Settings

EncoderName = Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
RUN = "run:"  # begins what stands for another run
EXECUTION = {"device", "nodes", "workers", "compile", "checkpoint_every_steps"}  # how a run goes, not what comes out


class AugmentationSettings(Settings):
    """Random views of a crop (paper section 4.1); the ranges are those of the official configuration."""

    rotation_deg: float = Field(45.0, ge=0, description="rotated by up to so many degrees either way (not SimCLR)")
    crop_margin: tuple[float, float] = Field(
        (0.9, 1.5),
        description="half side of the random crop, in units of the farthest keypoint's distance from the centroid",
    )
    fixed_crop_margin: float = Field(1.25, gt=0, description="the same for SimCLR in its official behaviour")
    jitter_px: float = Field(
        15.0, ge=0, description="moved right and down by up to so many px of the stored crop (SimCLR: officially only)"
    )
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

    method: Literal["simclr", "peclr", "tempclr", "simhand"] = Field(
        description="what a hand's positive is. simclr, peclr: itself; tempclr: the same hand in a neighbouring frame; "
        "simhand: its mined neighbour. All but simclr undo the views' geometry on the embeddings"
    )
    pool: str = Field(description="the pool that is trained on")
    behaviour: Literal["paper", "official"] = Field(
        "paper", description="where the official code differs from the paper: docs/differences.md has the list"
    )
    weighting: Literal["none", "linear", "sigmoid"] = Field(
        "none", description="adaptive weights from keypoint distances (paper: linear, for simhand)"
    )
    sigmoid_lambda: tuple[float, float] = Field(
        (5.0, 0.05), description="slopes for positives and for all other pairs (paper: Eq. 4)"
    )
    weighted_pairs: Literal["both", "positives", "negatives"] = Field(
        "both", description="which similarities are weighted: numerator and denominator of the loss, or one of them"
    )
    weighted_keypoints: Literal["augmented", "original"] = Field(
        "augmented", description="whose distances make the weights: the keypoints of the views, or those of the crops"
    )
    weight_distance: Literal["mpjpe", "w_abs", "w_o_abs"] = Field(
        "mpjpe",
        description="of two hands; w_abs and w_o_abs: experiments of the official code, for its behaviour alone",
    )
    neighbour_rank: int = Field(1, ge=1, description="simhand: which mined neighbour is the positive")
    max_gap_s: float = Field(
        10.0, gt=0, description="tempclr: how far away the neighbouring frame may be; a hand without one is its own"
    )
    encoder: EncoderName = Field("resnet50", description="torchvision's ResNet of this name")
    initial: str = Field(
        "random",
        min_length=1,
        description="what the encoder starts from: random; imagenet (torchvision's weights, from its cache or the "
        "network); run:NAME, another run's encoder; or the path of torchvision's state_dict or an official checkpoint",
    )
    projection_hidden: int = Field(512, ge=2, description="hidden width of the projection head")
    projection_dim: int = Field(128, ge=2, multiple_of=2, description="width of the embedding that is contrasted")
    temperature: float = Field(0.5, gt=0, description="of the contrastive loss")
    image_size: int = Field(128, ge=32, description="pixels of the side of a view")
    augmentation: AugmentationSettings = Field(default_factory=AugmentationSettings, description="random views")
    epochs: int = Field(100, ge=1, description="passes over the pool")
    batch_size: int = Field(128, ge=2, description="pairs in one step, over all processes")
    micro_batch: int | None = Field(
        None,
        ge=1,
        description="pairs that a process embeds at once, the loss still being that of the whole batch (GradCache), "
        "for batches that do not fit into memory; empty: all",
    )
    learning_rate: float = Field(3.2e-3, gt=0, description="of Adam under LARS, at its peak")
    weight_decay: float = Field(1e-6, ge=0, description="not on biases and batch norm")
    warmup_epochs: float = Field(
        10.0, ge=0, description="the learning rate climbs for so long, then falls along a cosine"
    )
    precision: Literal["float32", "bfloat16"] = Field("float32", description="bfloat16: mixed precision (autocast)")
    compile: bool = Field(False, description="torch.compile the model: minutes at the start, then faster on GPUs")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    processes: int = Field(1, ge=1, description="that share each batch, one a GPU")
    nodes: int = Field(1, ge=1, description="that share the processes, as many each; several: in Slurm")
    per_device_loss: bool = Field(
        False, description="each process contrasts its own part of the batch alone, as the official code does"
    )
    workers: int = Field(0, ge=0, description="processes that decode crops, for each that trains; 0: the latter itself")
    checkpoint_every_steps: int = Field(500, ge=1, description="an interrupted run loses at most so many steps")
    seed: int = Field(0, ge=0, description="of weights, order and views")

    @property
    def initial_run(self) -> str | None:
        """The run whose encoder this one starts from."""
        return self.initial.removeprefix(RUN) if self.initial.startswith(RUN) else None

    @property
    def initial_file(self) -> Path | None:
        """The state_dict that this run starts from."""
        return None if self.initial in {"random", "imagenet"} or self.initial_run else Path(self.initial)

    @model_validator(mode="after")
    def _leaves_time_to_train(self) -> Self:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs ({self.warmup_epochs}) must be less than epochs ({self.epochs})")
        return self

    @model_validator(mode="after")
    def _one_scale_has_one_distance(self) -> Self:
        if self.weight_distance != "mpjpe" and self.behaviour != "official":
            raise ValueError(
                f"weight_distance {self.weight_distance} measures pairs and positives differently: it needs behaviour: "
                "official, which scales them apart"
            )
        return self

    @model_validator(mode="after")
    def _processes_share_alike(self) -> Self:
        if self.batch_size % self.processes or self.batch_size < 2 * self.processes:
            raise ValueError(
                f"batch_size ({self.batch_size}) must be a multiple of processes ({self.processes}), two pairs each at "
                "the least"
            )
        check_nodes(self.processes, self.nodes)
        return self
