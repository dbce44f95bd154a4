"""The command line."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simhand.hand100m.__main__ import main
from tests.conftest import ROOT
from tests.hand100m.made_up import MadeUpPool, make_pool


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> MadeUpPool:
    return make_pool(tmp_path_factory.mktemp("pool"))


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """The command sets up the log of its process; here that process goes on."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def arguments(pool: MadeUpPool, out: Path) -> list[str]:
    files = pool.files
    tables = ["--members", str(files.members), "--neighbours", *map(str, files.neighbours)]
    return ["export", *tables, "--crops", str(files.crops), "--frames", str(files.frames), "--out", str(out)]


def test_the_command_writes_json_and_images(pool: MadeUpPool, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simhand.hand100m", *arguments(pool, tmp_path), "--top-k", "2"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "24 hands, 18 images, 48 pairs" in finished.stderr
    whole = json.loads((tmp_path / "annotations.json").read_text())
    assert all((tmp_path / image["file_name"]).is_file() for image in whole["images"])


def test_the_options_reach_the_export(pool: MadeUpPool, tmp_path: Path) -> None:
    options = ["--skip-images", "--top-k", "1", "--annotations", "annotations/mine.json"]
    main([*arguments(pool, tmp_path), *options])
    whole = json.loads((tmp_path / "annotations/mine.json").read_text())
    assert {len(a["positive_sample"]) for a in whole["annotations"]} == {1}
    assert not (tmp_path / "images").exists()


def test_a_failure_ends_with_its_message_and_status_1(
    pool: MadeUpPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments(pool, tmp_path), "--members", str(tmp_path / "nowhere.parquet")])
    assert ended.value.code == 1
    assert "nowhere.parquet" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--top-k", "0"], ["--images", "cam"], ["--images", "cam=/no/such/folder"]])
def test_a_wrong_option_is_refused(pool: MadeUpPool, tmp_path: Path, wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments(pool, tmp_path), *wrong])
    assert ended.value.code == 2
