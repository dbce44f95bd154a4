from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from simhand.errors import WeightsError
from simhand.hands.landmarker import Landmarker
from simhand.hands.model import TASK_SHA256, build_task_file, check_sha256, copy_task_file


def test_the_model_is_the_known_one_and_its_members_are_aligned(hand_model: Path) -> None:
    check_sha256(hand_model, TASK_SHA256)
    data = hand_model.read_bytes()
    with zipfile.ZipFile(hand_model) as bundle:
        for member in bundle.infolist():
            assert member.compress_type == zipfile.ZIP_STORED
            start = data.index(bundle.read(member)[:64])
            assert start % 4 == 0


def test_another_model_is_refused_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simhand.hands.model.TASK_SHA256", "0" * 64)
    with pytest.raises(WeightsError, match="another content"):
        build_task_file(tmp_path / "hand.task")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_ones_own(tmp_path: Path, hand_model: Path) -> None:
    copy_task_file(hand_model, tmp_path / "copy.task", TASK_SHA256)
    assert (tmp_path / "copy.task").read_bytes() == hand_model.read_bytes()
    with pytest.raises(WeightsError, match="another content"):
        copy_task_file(hand_model, tmp_path / "copy2.task", "0" * 64)
    with pytest.raises(WeightsError, match="cannot read"):
        check_sha256(tmp_path / "missing.task", TASK_SHA256)


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "no.task").write_bytes(b"no model")
    with pytest.raises(WeightsError, match=r"no\.task"):
        Landmarker(tmp_path / "no.task", 2, 0.5)
