"""What all figures share: their looks, the colours of runs, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.style import context

from simhand.files import whole_file
from simhand.finetuning.settings import NO_PRETRAINING

# Okabe and Ito's colours, told apart with any colour vision; without yellow, too pale for lines on white.
BLUE, ORANGE, GREEN, PURPLE, GOLD, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
INK, GREY, FAINT = "#22262B", "#6B6B6B", "#DDE1E5"

_LOOKS: dict[str, Any] = {
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "legend.frameon": False,
}
styled = context(["default", _LOOKS])  # whatever the user's own matplotlibrc says


@dataclass(frozen=True)
class LineStyle:
    """How a run is drawn, in every figure of a report."""

    color: str
    marker: str
    linestyle: str


def run_styles(runs: Sequence[str]) -> dict[str, LineStyle]:
    """A style for each run: colours and markers first, then dashes; no pre-training is grey, being the baseline."""
    colours, markers, dashes = (BLUE, ORANGE, GREEN, PURPLE, GOLD, SKY), "osD^vP", ("-", "--", ":", "-.")
    styles = {NO_PRETRAINING: LineStyle(GREY, "X", "--")}
    for place, name in enumerate(run for run in dict.fromkeys(runs) if run != NO_PRETRAINING):
        turn, colour = divmod(place, len(colours))
        styles[name] = LineStyle(colours[colour], markers[colour], dashes[turn % len(dashes)])
    return styles


def save_png(figure: Figure, path: Path, dpi: int = 120) -> None:
    """Writes a figure; equal figures are equal bytes."""
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
