"""`simhand predict` as its users call it: a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from simhand.__main__ import main
from simhand.prediction.film import film
from tests.conftest import ROOT
from tests.prediction.conftest import Truth
from tests.prediction.made_up import smooth_noise, write_random_model


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simhand", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_model(tmp_path_factory.mktemp("model") / "model.pt")


def test_the_console_script_is_there() -> None:
    script = Path(sys.executable).with_name("simhand")
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    assert "predict" in done.stdout


def test_help_comes_at_once_and_tells_all_options() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "simhand", "predict", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for option in ("--model", "--out", "--bone-mm", "--focal-px", "--square", "--fps", "--max-hands", "--device"):
        assert option in done.stdout
    for model in ("detnet", "regression25d", "freihand", "dexycb", "assemblyhands"):
        assert model in done.stdout
    assert "| torch" not in done.stderr.replace("|   ", "| ")
    assert "mediapipe" not in done.stderr


def test_images_in_drawings_and_joints_out(hands: list[Truth], model: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(hands[1].rgb).save(tmp_path / "in" / "hand.png")
    Image.fromarray(np.full((90, 120, 3), 90, np.uint8)).save(tmp_path / "in" / "wall.png")
    done = call("predict", tmp_path / "in", "--model", model, "--out", tmp_path / "out", "--bone-mm", 80)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines == [
        f"1 of 2: {tmp_path}/in/hand.png",
        f"{tmp_path}/in/hand.png: 1 hand, drawn in {tmp_path}/out/hand_hands.jpg",
        f"2 of 2: {tmp_path}/in/wall.png",
        f"{tmp_path}/in/wall.png: no hand, drawn in {tmp_path}/out/wall_hands.jpg",
    ]
    (hand,) = json.loads((tmp_path / "out" / "joints.json").read_text())["hands"]
    assert (hand["side"], hand["bone_mm"]) == ("right", 80)


def test_a_damaged_file_among_others_makes_the_status_1(hands: list[Truth], model: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"")
    Image.fromarray(hands[1].rgb).save(tmp_path / "good.png")
    files = (tmp_path / "bad.jpg", tmp_path / "good.png")
    done = call("predict", *files, "--model", model, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "cannot read an image" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "out" / "good_hands.jpg").is_file()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.jpg", "--model", "MODEL", "--out", "OUT"], "no such file or folder"),
        ([__file__, "--model", "nowhere.pt", "--out", "OUT"], "cannot read a fine-tuned model"),
        ([__file__, "--model", "MODEL", "--out", str(Path(__file__).parent)], "the output folder holds an input"),
        ([__file__, "--model", "nowhere.pt", "--out", __file__], "the output folder is a file"),
        ([__file__, "--model", "nowhere.pt", "--out", "/proc/new"], "cannot write to the output folder"),
        ([__file__, "--model", "MODEL", "--out", "OUT", "--bone-mm", "-1"], "--bone-mm"),
        ([__file__, "--model", "MODEL", "--out", "OUT", "--score-threshold", "2"], "--score-threshold"),
    ],
)
def test_mistakes_are_told_in_few_words(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    places = {"MODEL": str(model), "OUT": str(tmp_path / "out")}
    assert main(["predict", *(places.get(one, one) for one in arguments)]) == 1
    error = capfd.readouterr().err
    assert error.startswith("simhand: ")
    assert told in error
    assert len(error.splitlines()) <= 6
    assert not (tmp_path / "out").exists()


def test_a_command_is_needed() -> None:
    done = call()
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("simhand: error:")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_what_is_done_and_leaves_no_half_file(
    hands: list[Truth], model: Path, tmp_path: Path, number: signal.Signals
) -> None:
    frame = smooth_noise(np.random.default_rng(0), 480, 640)
    Image.fromarray(hands[1].rgb).save(tmp_path / "hand.png")
    with film(tmp_path / "long.mp4") as opened:
        for i in range(400):
            opened.add(frame, i / 25)
    out, inputs = tmp_path / "out", [tmp_path / name for name in ("hand.png", "long.mp4", "next.png")]
    Image.fromarray(hands[1].rgb).save(inputs[2])
    command = [sys.executable, "-m", "simhand", "predict", *inputs, "--model", model, "--out", out]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ})
    deadline = time.monotonic() + 120
    while not list(out.glob(".long*.partial")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list(out.glob(".long*.partial"))  # a video half written, under a temporary name
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in told
    assert f"joints are written of 1 of 3 inputs, the last of them {inputs[0]}" in told
    assert {path.name for path in out.iterdir()} == {"hand_hands.jpg", "joints.json", "joints.parquet"}
    joints = json.loads((out / "joints.json").read_text())
    assert [file["source"] for file in joints["files"]] == [hand["source"] for hand in joints["hands"]]
    assert joints["missing"] == [str(path) for path in inputs[1:]]
