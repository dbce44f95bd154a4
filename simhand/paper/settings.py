"""What can be set about the paper's experiments."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from simhand.settings import Settings

Percent = Annotated[int, Field(ge=1, le=100)]
Rank = Annotated[int, Field(ge=1)]

METHODS = {"SimCLR": "simclr", "PeCLR": "peclr", "SiMHand": "simhand"}
"""The methods that the paper compares, and what they are called in `pretraining.*.method`."""

POOLS = ("Ego-50K", "Ego-100K", "Ego-500K", "Ego-1M", "Exo-1M", "Ego&Exo-2M")
"""The paper's sets of images to pre-train on: Ego4D (Ego), 100DOH (Exo) or both, and how many images."""

LABELLED = ("FreiHAND", "DexYCB", "AssemblyHands")
"""The labelled sets that the paper fine-tunes on."""


class PaperSettings(Settings):
    """The paper's tables: what stands here for its methods, pools and labelled sets."""

    methods: dict[str, str] = Field(
        min_length=1, description=f"the run whose settings each method has: {', '.join(METHODS)}"
    )
    pools: dict[str, str] = Field(
        min_length=1,
        description=f"the pool that stands for the paper's; those not named have no lines: {', '.join(POOLS)}",
    )
    labelled: dict[str, str] = Field(
        min_length=1, description=f"the labelled set that stands for the paper's: {', '.join(LABELLED)}"
    )
    few_labels: Percent = Field(10, description="percentage of FreiHAND's labels in Tables 2 to 5")
    label_percents: tuple[Percent, ...] = Field(
        (10, 20, 40, 80, 100), min_length=1, description="percentages of FreiHAND's labels in Figure 4"
    )
    ranks: tuple[Rank, ...] = Field(
        (1, 2, 5, 10, 50, 100, 500, 1000, 5000),
        min_length=1,
        description="of the similar hand that is the positive, in Table 4; the pool must have mined them",
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name in ("label_percents", "ranks"):
            values = getattr(self, name)
            if list(values) != sorted(set(values)):
                raise ValueError(f"{name} {list(values)} must rise")
        return self
