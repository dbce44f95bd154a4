"""The sheet of predicted hands."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from simhand.errors import LabelledSetError, TableError
from simhand.frames.images import encode_jpeg
from simhand.reporting.hands_sheet import Drawn, best_run, extreme_cases, hands_sheet, read_image, window_around
from tests.reporting.conftest import write_predictions

ERRORS_MM = {"none": [9.0, 9.0, 9.0, 9.0, 9.0], "worse": [6.0, 6.0, 6.0, 6.0, 6.0], "better": [5.0, 1.0, 2.0, 4.0, 3.0]}

RIGHT_PX = {"none": 4.0, "worse": 8.0, "better": 2.0}


@pytest.fixture
def models(tmp_path: Path) -> list[Drawn]:
    """Three models, the best with two seeds, on five images; the left half of each is black, the right one white."""
    image = np.zeros((96, 128, 3), np.uint8)
    image[:, 64:] = 255
    (tmp_path / "images").mkdir()
    for i in range(5):
        (tmp_path / "images" / f"{i}.jpg").write_bytes(encode_jpeg(image, 95))
    made = []
    for run, seed in (("none", 0), ("worse", 0), ("better", 3), ("better", 0)):
        made.append(Drawn(run, seed, tmp_path / f"{run}{seed}.json", tmp_path / f"{run}{seed}.parquet"))
        made[-1].metrics.write_text(json.dumps({"mpjpe_mm": float(np.mean(ERRORS_MM[run]))}))
        write_predictions(made[-1].predictions, ERRORS_MM[run] if seed == 0 else [0.0] * 5, RIGHT_PX[run])
    return made


def test_the_best_run_is_that_of_the_least_mean_over_seeds(models: list[Drawn]) -> None:
    assert best_run(models) == "better"
    models[2].metrics.write_text(json.dumps({"mpjpe_mm": 10.0}))  # with 3.0 of the other seed: 6.5
    assert best_run(models) == "worse"


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.integers(1, 8))
def test_the_worst_and_the_best_cases(errors: list[float], cases: int) -> None:
    found = extreme_cases(np.array(errors), np.arange(len(errors)), cases)
    worst, best = found["worst"], found["best"]
    assert set(worst).isdisjoint(best)
    assert len(worst) == max(1, min(cases, len(errors) // 2))
    rest = [error for row, error in enumerate(errors) if row not in {*worst, *best}]
    assert all(errors[row] >= max(rest, default=0) for row in worst)
    assert all(errors[row] <= min(rest, default=100) for row in best)
    assert [errors[row] for row in worst] == sorted((errors[row] for row in worst), reverse=True)
    assert [errors[row] for row in best] == sorted(errors[row] for row in best)


def test_each_recording_is_shown_once() -> None:
    errors_mm, sequences = np.array([9.0, 8.0, 7.0, 6.0, 1.0, 2.0, 3.0]), np.array([5, 5, 1, 0, 5, 2, 2])
    assert extreme_cases(errors_mm, sequences, 2) == {"worst": [0, 2], "best": [5, 3]}
    assert extreme_cases(errors_mm, np.zeros(7, int), 2) == {"worst": [0], "best": []}


def test_the_sheet_shows_worst_and_best_images_with_their_errors(
    models: list[Drawn], tmp_path: Path, drawn: list[Figure]
) -> None:
    hands_sheet(models, tmp_path, 2, "a set", tmp_path / "hands.png")
    axes = drawn[0].axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert texts[:5] == [
        "true", "without pre-training", "better", "without pre-training,\nside", "better, side",
    ]  # fmt: skip
    assert texts[5:-1] == [
        *("9.0 mm", "5.0 mm", "worst"), *("9.0 mm", "4.0 mm", "worst"),
        *("9.0 mm", "1.0 mm", "best"), *("9.0 mm", "2.0 mm", "best"),
    ]  # fmt: skip
    assert texts[-1] == "a set"
    assert len(axes.images) == 4 * 3
    assert len(axes.collections) == 4 * 2 * (3 + 4)  # a rim and its lines: three over images, two twice from the side


@pytest.mark.parametrize(("runs", "texts"), [
    (("worse", "better"), ["true", "better", "better, side", "5.0 mm", "worst", "1.0 mm", "best"]),
    (("none",), ["true", "without pre-training", "without pre-training,\nside", "9.0 mm", "worst", "9.0 mm", "best"]),
])  # fmt: skip
def test_where_there_is_no_model_to_compare_with_one_hand_is_drawn(
    models: list[Drawn], tmp_path: Path, drawn: list[Figure], runs: tuple[str, ...], texts: list[str]
) -> None:
    hands_sheet([model for model in models if model.run in runs], tmp_path, 1, "a set", tmp_path / "hands.png")
    axes = drawn[0].axes[0]
    assert [text.get_text() for text in axes.texts] == [*texts, "a set"]
    assert len(axes.images) == 2 * 2
    assert len(axes.collections) == 2 * 2 * (2 + 2)


def test_long_names_of_runs_stay_within_their_tiles(models: list[Drawn], tmp_path: Path, drawn: list[Figure]) -> None:
    """One below the other, between the title and the tiles."""
    long = replace(models[-1], run="simhand-ego-1m-sigmoid_2p5_0p01-augmented")
    hands_sheet([models[0], long], tmp_path, 1, "a set, 100 % of the labels", tmp_path / "hands.png")
    axes = drawn[0].axes[0]
    tile = axes.transData.transform([(0, 0), (1, 1)])
    width = tile[1][0] - tile[0][0]
    headings = [text for text in axes.texts if text.get_text().startswith(("simhand", "without", "true"))]
    boxes = [text.get_window_extent() for text in headings]
    assert len(boxes) == 5
    assert all(box.width <= width for box in boxes)
    title = axes.texts[-1].get_window_extent()
    assert all(tile[0][1] < box.y0 and box.y1 < title.y0 for box in boxes)
    assert title.y1 < drawn[0].bbox.y1
    assert headings[-1].get_text().replace("\n", "") == "simhand-ego-1m-sigmoid_2p5_0p01-augmented, side"


def test_images_are_cut_around_the_true_hand_and_mirrored_as_they_are_used(
    models: list[Drawn], tmp_path: Path, drawn: list[Figure]
) -> None:
    """Keypoints span x from 20 to 100 px and y from 10 to 70; the window around them has a side of 1.5 * 80 px."""
    hands_sheet(models, tmp_path, 2, "a set", tmp_path / "hands.png")
    axes = drawn[0].axes[0]
    plain, mirrored = (np.asarray(axes.images[3 * line].get_array()) for line in (0, 1))  # of images 0 and 3
    edge = (63.5 - 0.0) / 120 * 320  # the window begins at x = 60 - 60, and the half at 63.5
    assert plain[160, round(edge) - 6].max() < 30
    assert plain[160, round(edge) + 6].min() > 225
    assert mirrored[160, round(edge) - 6].min() > 225
    assert mirrored[160, round(edge) + 6].max() < 30
    thumb = axes.collections[0].get_segments()[0]  # of the true hand
    assert thumb[0] == pytest.approx([(20 - 0) / 120, (10 + 20) / 120])
    for column, right_px in enumerate((RIGHT_PX["none"], RIGHT_PX["better"]), 1):
        predicted = axes.collections[2 * column].get_segments()[0]
        assert predicted[0] - thumb[0] == pytest.approx([right_px / 120 + 1.05 * column, 0])


def test_from_the_side_depth_goes_to_the_right(models: list[Drawn], tmp_path: Path, drawn: list[Figure]) -> None:
    """The true hand is 60 mm high and all of it 400 mm away; the window around all hands has a side of 1.2 * 60 mm."""
    hands_sheet(models, tmp_path, 2, "a set", tmp_path / "hands.png")
    away = 21 / 19 * 9.0  # how much farther a wrong joint is, at the most
    for place, error_mm in enumerate((9.0, 5.0)):  # of the first image
        true, predicted = (drawn[0].axes[0].collections[6 + 4 * place + i].get_segments()[0] for i in (0, 2))
        height = 0.5 + (3 - 30) / 72  # joint 1 is 3 mm below the wrist, which is 30 mm above the middle
        assert true[1] == pytest.approx([1.05 * (3 + place) + 0.5 - away / 2 / 72, height])
        assert predicted[1] - true[1] == pytest.approx([21 / 19 * error_mm / 72, 0], abs=1e-5)


def test_a_window_leaves_out_what_is_not_known() -> None:
    points = np.array([[0.0, 2.0], [10.0, 6.0], [np.nan, np.nan]])
    corner, side = window_around(points, 2.0)
    assert (corner.tolist(), side) == ([-5.0, -6.0], 20.0)


def test_wrong_inputs_are_named(models: list[Drawn], tmp_path: Path) -> None:
    (tmp_path / "images" / "0.jpg").write_bytes(b"no image")
    with pytest.raises(LabelledSetError, match=r"0\.jpg"):
        read_image(tmp_path / "images" / "0.jpg", flipped=False)
    with pytest.raises(LabelledSetError, match=r"9\.jpg"):
        read_image(tmp_path / "images" / "9.jpg", flipped=False)
    write_predictions(models[0].predictions, [1.0])
    with pytest.raises(TableError, match="other images"):
        hands_sheet(models, tmp_path, 2, "a set", tmp_path / "hands.png")
