"""The layouts of labelled sets that can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from simhand.finetuning.freihand import read_freihand
from simhand.finetuning.labelled import LabelledSet, Split
from simhand.finetuning.settings import ReadSettings

Format = Literal["freihand"]
Reader = Callable[[Path, Split, ReadSettings], LabelledSet]

READERS: dict[Format, Reader] = {"freihand": read_freihand}
