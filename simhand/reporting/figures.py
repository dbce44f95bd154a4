"""What all figures share: no screen, no dates inside the files, colours that the colour-blind can tell apart."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib.figure import Figure

from simhand.files import whole_file

# Okabe and Ito's palette.
COLOURS = ("#000000", "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442")


def save_png(figure: Figure, path: Path, dpi: int = 110) -> None:
    """Writes a figure; equal figures are equal bytes."""
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=dpi, metadata={"Software": None})
