"""FreiHAND's challenge: what is submitted, and what its script would say."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from simhand.errors import TableError
from simhand.evaluation.__main__ import main
from simhand.evaluation.freihand_challenge import freihand_scores, score_submission, write_submission
from tests.evaluation.made_up import some_hands, write_predictions


def test_a_submission_is_read_and_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    true_mm = some_hands(5, 0)
    absolute_mm = true_mm + np.array([30.0, 0, 0])
    predictions = write_predictions(tmp_path / "predictions.parquet", true_mm, true_mm, absolute_mm=absolute_mm)
    submission, labels = tmp_path / "pred.json", tmp_path / "evaluation_xyz.json"
    main(["--predictions", str(predictions), "--freihand", str(submission)])
    joints, vertices = json.loads(submission.read_text())
    np.testing.assert_allclose(joints, absolute_mm / 1000, atol=1e-7)  # metres
    assert np.array(vertices).shape == (5, 778, 3)
    labels.write_text(json.dumps((true_mm / 1000).tolist()))
    main(["--score", str(submission), str(labels)])
    scores = json.loads(capsys.readouterr().out)
    assert scores["n_images"] == 5
    assert scores["xyz_mean3d"] == pytest.approx(3.0, abs=1e-4)  # centimetres
    assert scores["xyz_auc3d"] == pytest.approx(39.5 / 99)  # right from threshold 60 (of 0 to 99) on
    assert scores["xyz_al_mean3d"] == pytest.approx(0.0, abs=1e-4)


def test_a_mirrored_hand_is_right_once_aligned() -> None:
    true_m = some_hands(3, 0) / 1000
    scores = freihand_scores(true_m * (-1, 1, 1), true_m)
    assert scores["xyz_al_mean3d"] == pytest.approx(0.0, abs=1e-6)
    assert scores["xyz_al_auc3d"] > 0.99


def test_zeros_are_scored() -> None:
    """What the challenge's template predicts: aligned, a hand is then its own centre."""
    true_m = some_hands(3, 0) / 1000
    center = true_m.mean(axis=1, keepdims=True)
    scores = freihand_scores(np.zeros_like(true_m), true_m)
    assert scores["xyz_al_mean3d"] == pytest.approx(100 * np.linalg.norm(true_m - center, axis=2).mean())


def test_fewer_images_than_the_challenge_has_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    predictions = write_predictions(tmp_path / "predictions.parquet", some_hands(2, 0), some_hands(2, 1))
    with caplog.at_level(logging.WARNING):
        write_submission(predictions, tmp_path / "pred.json")
    assert "2 images; FreiHAND's challenge takes 3960" in caplog.text


def test_other_images_are_refused(tmp_path: Path) -> None:
    files = ["evaluation/rgb/00000001.jpg", "evaluation/rgb/00000000.jpg"]
    predictions = write_predictions(tmp_path / "p.parquet", some_hands(2, 0), some_hands(2, 1), image=files)
    with pytest.raises(TableError, match=r"(?s)in their order.*row 0.*00000000\.jpg.*00000001\.jpg"):
        write_submission(predictions, tmp_path / "pred.json")
    assert not (tmp_path / "pred.json").exists()


def test_a_hand_without_a_place_is_refused(tmp_path: Path) -> None:
    absolute_mm = some_hands(3, 0)
    absolute_mm[1] = np.nan
    predictions = write_predictions(tmp_path / "p.parquet", some_hands(3, 0), some_hands(3, 1), absolute_mm=absolute_mm)
    with pytest.raises(TableError, match=r"(?s)place is not known.*00000001\.jpg.*1 such of 3"):
        write_submission(predictions, tmp_path / "pred.json")


@pytest.mark.parametrize(
    ("submission", "said"),
    [
        ("[]", "no submission"),
        ("[[], [], []]", "no submission"),
        ("nonsense", "cannot read JSON"),
        ("[[[1, 2, 3]], [[]]]", "not 21 joints"),
        (json.dumps([np.ones((1, 21, 3)).tolist(), [[]]]), "not a hand an image"),
        (json.dumps([np.ones((2, 21, 3)).tolist(), [[]]]), "not a hand an image"),
        (json.dumps([np.full((2, 21, 3), np.nan).tolist(), [[], []]]), "not 21 joints"),
    ],
)
def test_what_is_no_submission_is_refused(tmp_path: Path, submission: str, said: str) -> None:
    (tmp_path / "pred.json").write_text(submission)
    (tmp_path / "xyz.json").write_text(json.dumps(np.ones((2, 21, 3)).tolist()))
    with pytest.raises(TableError, match=rf"{said}(.|\n)*pred\.json"):
        score_submission(tmp_path / "pred.json", tmp_path / "xyz.json")
