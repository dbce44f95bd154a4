"""The layouts of labelled sets that can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from simhand.finetuning.freihand import read_freihand
from simhand.finetuning.labelled import LabelledSet, Split

Format = Literal["freihand"]

READERS: dict[Format, Callable[[Path, Split], LabelledSet]] = {"freihand": read_freihand}
