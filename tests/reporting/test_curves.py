"""Curves: what is drawn, and in which colours."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from simhand.errors import TableError
from simhand.reporting.curves import finetuning_curves, pretraining_curves
from simhand.reporting.figures import GREY, run_styles
from simhand.reporting.inputs import Result, Run
from simhand.reporting.records import read_curve

_NONE = 0.03  # of a colour's channels; edges of lines are mixed with the ground


def _has_colour(path: Path, colour: str) -> bool:
    image = cv2.imread(str(path))[..., ::-1] / 255
    return bool((np.abs(image - to_rgb(colour)).max(axis=2) < _NONE).any())


def test_pretraining_shows_the_mean_loss_of_each_epoch(
    pretraining: dict[str, Run], drawn: list[Figure], tmp_path: Path
) -> None:
    styles = run_styles(list(pretraining))
    pretraining_curves(pretraining, styles, tmp_path / "p.png")
    *lines, chance = drawn[0].axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["simclr", "simhand"]
    for line in lines:
        np.testing.assert_array_equal(line.get_xydata(), [[1, 3.5], [2, 1.5]])  # losses 4, 3 | 2, 1
    assert chance.get_ydata() == pytest.approx([math.log(3)] * 2)  # of the run without weights: two pairs, four views
    assert [text.get_text() for text in drawn[0].axes[0].texts] == ["guessing among 3 views, unweighted"]
    assert cv2.imread(str(tmp_path / "p.png")).shape == (744, 1200, 3)
    assert all(_has_colour(tmp_path / "p.png", style.color) for name, style in styles.items() if name != "none")


def test_pretraining_shows_learning_rate_gradient_and_speed(
    pretraining: dict[str, Run], drawn: list[Figure], tmp_path: Path
) -> None:
    pretraining_curves(pretraining, run_styles(list(pretraining)), tmp_path / "p.png")
    panels = {axes.get_title(loc="left"): axes.get_lines() for axes in drawn[0].axes}
    assert list(panels) == ["Contrastive loss", "Learning rate", "Norm of the gradient", "Images/s"]
    for line in panels["Learning rate"]:
        np.testing.assert_allclose(line.get_xydata(), [[0.5, 0], [1, 0.1], [1.5, 0.2], [2, 0.3]])
    for line in panels["Norm of the gradient"]:
        np.testing.assert_array_equal(line.get_xydata(), [[1, 1.5], [2, 3.5]])
    for line in panels["Images/s"]:
        np.testing.assert_array_equal(line.get_xydata(), [[1, 50], [2, 50]])


def test_each_number_of_views_has_its_line_of_guessing(
    pretraining: dict[str, Run], drawn: list[Figure], tmp_path: Path
) -> None:
    card = json.loads(pretraining["simclr"].card.read_text())
    card["training"]["pairs_per_loss"] = 8
    path = tmp_path / "larger.json"
    path.write_text(json.dumps(card))
    runs = {"a": pretraining["simclr"], "b": replace(pretraining["simclr"], card=path), "c": pretraining["simclr"]}
    pretraining_curves(runs, run_styles(list(runs)), tmp_path / "p.png")
    lines = drawn[0].axes[0].get_lines()[3:]
    assert [line.get_ydata()[0] for line in lines] == pytest.approx([math.log(3), math.log(15)])


def test_finetuning_has_a_row_for_each_set_and_share_and_a_line_for_each_seed(
    make_result: Callable[..., Result], drawn: list[Figure], tmp_path: Path
) -> None:
    results = [
        make_result(run, seed, 20.0 + seed, 0.5, percent=percent)
        for percent in (10, 100)
        for run in ("none", "simhand")
        for seed in (0, 1)
    ]
    finetuning_curves(results, run_styles(["none", "simhand"]), tmp_path / "f.png")
    axes = drawn[0].axes
    assert [each.get_title(loc="left") for each in axes[::2]] == [
        "Fine-tuning on hands, 10 % of the labels",
        "Fine-tuning on hands, 100 % of the labels",
    ]
    assert [len(each.get_lines()) for each in axes] == [4, 4, 4, 4]
    np.testing.assert_allclose(axes[1].get_lines()[1].get_xydata(), [[1, 31], [2, 26], [3, 21 + 10 / 3]])
    legend = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert legend == ["without pre-training", "simhand"]
    assert _has_colour(tmp_path / "f.png", GREY)


def test_styles_differ_and_no_pretraining_is_grey() -> None:
    runs = [f"run{i}" for i in range(20)]
    styles = run_styles(["none", *runs, "run3"])
    assert len({(style.color, style.linestyle) for style in styles.values()}) == 21
    assert styles["none"].color == GREY


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("", "without a record"),
        ('{"epoch": 0, "loss": 1}\n{"epoch": 0, "lo', "line 2"),
        ('{"epoch": 0}\n', "loss is missing"),
        ('{"epoch": 0, "loss": NaN}\n', "line 1"),
    ],
)
def test_a_damaged_curve_is_named(tmp_path: Path, content: str, where: str) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(content)
    with pytest.raises(TableError, match=where) as caught:
        read_curve(path, ["epoch", "loss"])
    assert "metrics.jsonl" in str(caught.value)
