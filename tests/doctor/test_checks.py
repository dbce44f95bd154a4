"""What doctor says of versions, tools and the machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from simhand.config import load_config
from simhand.doctor.finding import Grade, ok, problem
from simhand.doctor.machine import check_load, check_machine, existing
from simhand.doctor.tools import check_tools
from simhand.doctor.versions import check_versions
from simhand.hands.settings import DetectionSettings
from simhand.pretraining.settings import PretrainingSettings
from tests.conftest import ROOT
from tests.test_rooms import NOT_ON_GPU_NODES


def test_a_line_begins_with_its_grade_and_says_what_to_do() -> None:
    assert str(ok("fine")) == "ok       fine"
    assert str(problem("broken", "mend it")) == "problem  broken\n         -> mend it"


def test_here_all_versions_are_right() -> None:
    findings = list(check_versions())
    assert [finding.grade for finding in findings] == [Grade.OK] * 4
    assert findings[2].what == "9 packages for the stages from videos to neighbours"


def test_a_wrong_version_and_a_missing_package_are_told(tmp_path: Path) -> None:
    for name, version in (("numpy", "1.20.0"), ("torch", "2.4.0")):  # of a folder that comes first
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import importlib.metadata as metadata
sys.path[:] = [path for path in sys.path if "site-packages" not in path] + [p for p in sys.path if "site-packages" in p]
import packaging.requirements
sys.path[:] = [path for path in sys.path if "site-packages" not in path]
from simhand.doctor.versions import check_versions
print(*check_versions(), sep="\\n")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "problem  for training and evaluation: numpy 1.20.0, not <3,>=1.26; no pyarrow; no pydantic;" in done.stdout
    assert "warning  for planning: no snakemake;" in done.stdout
    assert "-> pip install 'simhand[workflow]'" in done.stdout


def test_decoder_model_and_detector_of_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"not those")
    detection = {"detector": "hundred_doh", "weights": str(tmp_path / "weights.pth"), "sha256": "0" * 64}
    config = load_config(
        {
            "sources": {"a": {"videos": str(tmp_path)}},
            "detection": detection,
            "keypoints": {"model": str(tmp_path / "weights.pth"), "sha256": "0" * 64},
            "pools": {"a": {"sources": ["a"]}},
        }
    )
    findings = list(check_tools(config))
    assert [finding.grade.value for finding in findings] == ["ok", "ok", "ok", "problem", "problem"]
    assert findings[0].what.endswith("decodes h264, hevc, vp9, av1, mpeg4")
    assert "have another content" in findings[4].what


def test_cuda_without_a_gpu_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no Slurm
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.chdir(tmp_path)
    run = PretrainingSettings(method="simhand", pool="a", device="cuda")
    lines = [str(finding) for finding in check_machine({"pretraining.far": run}, DetectionSettings(), Path("results"))]
    assert lines[0].startswith("ok       no GPU here")
    assert lines[1].startswith("warning  device: cuda in pretraining.far, and no GPU here")
    assert lines[2] == "ok       no Slurm here: jobs run on this machine"
    assert re.search(r" [\d.,]+ [MGT]B free where results are written", lines[3])


def test_a_busy_machine_is_told_as_its_times_are_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "getloadavg", lambda: (2.4, 0.0, 0.0))
    (first,) = map(str, check_load())
    assert first.startswith("warning  this machine is busy: a load of 2.4 on 4 cores\n")
    monkeypatch.setattr(os, "getloadavg", lambda: (1.9, 9.0, 9.0))
    assert not list(check_load())


def test_slurm_that_answers_wants_an_edited_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sbatch", "squeue"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.chdir(ROOT)
    assert any(
        "is as it was shipped: it names no account and no partition; edit it before" in finding.what
        for finding in check_machine({}, None, Path("results"))
    )
    monkeypatch.chdir(tmp_path)
    assert any(finding.what == "no slurm/config.yaml here" for finding in check_machine({}, None, Path("results")))
    profile = yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text())
    profile["set-resources"] = {"pretrain": {"slurm_partition": "gpu"}}
    (tmp_path / "slurm").mkdir()
    (tmp_path / "slurm" / "config.yaml").write_text(yaml.safe_dump(profile))
    assert any(finding.what == "slurm/config.yaml names pretrain" for finding in check_machine({}, None, Path("r")))


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    assert existing(tmp_path / "results" / "frames") == tmp_path


def test_where_only_training_is_installed_it_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "config.yaml").write_text("sources: {a: {videos: videos}}\npools: {a: {sources: [a]}}\n")
    code = f"""
import sys
for name in {NOT_ON_GPU_NODES}:
    sys.modules[name] = None
from simhand.__main__ import main
sys.exit(main(["doctor"]))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "problem  the decoder PyAV does not load" in done.stdout
    assert "problem  OpenCV does not load" in done.stdout
    assert "-> pip install 'simhand[data]'" in done.stdout
    assert done.stderr == ""
