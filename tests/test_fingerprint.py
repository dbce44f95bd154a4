from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simhand.fingerprint import code_fingerprint, file_fingerprints, module_path
from tests.conftest import ROOT

STAGES = {
    "sampling": "workflow_scripts/sample_frames.py",
    "detection": "workflow_scripts/detect_hands.py",
    "balance": "workflow_scripts/balance_hands.py",
    "crops": "workflow_scripts/crop_hands.py",
    "keypoints": "workflow_scripts/find_keypoints.py",
    "pool": "workflow_scripts/draw_pool.py",
    "pca": "workflow_scripts/embed_pool.py",
    "mining": "workflow_scripts/mine_neighbours.py",
    "pretraining": "simhand/pretraining/__main__.py",
    "finetuning": "simhand/finetuning/__main__.py",
    "evaluation": "workflow_scripts/evaluate.py",
    "report": "workflow_scripts/write_report.py",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in ("simhand", "workflow_scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def fingerprints(checkout: Path) -> dict[str, str]:
    code = (
        "import sys; from pathlib import Path; from simhand.fingerprint import code_fingerprint\n"
        "[print(code_fingerprint(Path(name))) for name in sys.argv[1:]]"
    )
    command = [sys.executable, "-c", code, *STAGES.values()]
    lines = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True).stdout.split()
    return dict(zip(STAGES, lines, strict=True))


def stages_changed_by_adding_code(checkout: Path, file: str) -> set[str]:
    before = fingerprints(checkout)
    with (checkout / file).open("a") as module:
        module.write("\n\nADDED = 1\n")
    after = fingerprints(checkout)
    return {stage for stage in STAGES if before[stage] != after[stage]}


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("simhand/frames/decode.py", {"sampling"}),
        ("simhand/hands/balance.py", {"balance"}),
        ("simhand/hands/boxes.py", {"detection", "crops", "keypoints"}),
        ("simhand/mining/search.py", {"mining"}),
        ("simhand/pretraining/repulsion.py", {"pretraining"}),
        ("simhand/finetuning/detnet.py", {"finetuning"}),
        ("simhand/evaluation/evaluate.py", {"evaluation"}),
        ("simhand/evaluation/metrics.py", {"evaluation", "report"}),  # the report compares runs
        ("simhand/reporting/page.py", {"report"}),
        ("workflow_scripts/crop_hands.py", {"crops"}),
        ("simhand/config.py", set()),
        ("simhand/logs.py", set()),  # what is logged is no result
        ("simhand/locks.py", set()),  # nor is who waits for whom
        ("simhand/pretraining/launch.py", set()),  # nor who starts the processes
        ("simhand/pretraining/nodes.py", set()),  # nor where they meet
    ],
)
def test_an_edit_touches_its_stage_and_no_other(checkout: Path, file: str, stages: set[str]) -> None:
    assert stages_changed_by_adding_code(checkout, file) == stages


def test_looks_change_nothing(checkout: Path) -> None:
    before = fingerprints(checkout)
    path = checkout / "simhand" / "hands" / "balance.py"
    text = path.read_text()
    settings = checkout / "simhand" / "hands" / "settings.py"
    settings.write_text(settings.read_text().replace("at most so many hands", "no more hands than this"))
    line = "    return [hand in kept for hand in hand_ids]\n"
    assert line in text
    broken = "    return [\n        hand in kept  # a comment\n        for hand in hand_ids\n    ]\n"
    path.write_text("# a comment\n\n" + text.replace('"""', '"""Edited. ', 1).replace(line, broken))
    assert fingerprints(checkout) == before


def test_fingerprints_are_the_same_from_each_version_of_python(tmp_path: Path) -> None:
    """Recorded; Python 3.11, 3.12 and 3.13 give this one, where their `ast.dump` and `ast.unparse` differ."""
    (tmp_path / "a.py").write_text(
        "import os\n\n\nclass A(dict):\n    size: int = 3\n\n    def f(self, a, *, b=None, **more):\n"
        "        return [f\"{a!r:<{len('x')}} {os.sep}\", '', print('')]\n"
    )
    assert file_fingerprints(tmp_path / "a.py") == {"a.py": "52688bdf"}


def test_each_file_has_its_own_fingerprint(checkout: Path) -> None:
    before = file_fingerprints(ROOT / "workflow_scripts" / "evaluate.py")
    assert next(iter(before)) == "workflow_scripts/evaluate.py"
    assert {"simhand/evaluation/evaluate.py", "simhand/evaluation/metrics.py", "simhand/tables.py"} <= before.keys()
    assert not any("logs" in file or "finetuning" in file for file in before)
    with (checkout / "simhand" / "evaluation" / "metrics.py").open("a") as module:
        module.write("\n\nADDED = 1\n")
    code = (
        "import json; from pathlib import Path; from simhand.fingerprint import file_fingerprints\n"
        "print(json.dumps(file_fingerprints(Path('workflow_scripts/evaluate.py'))))"
    )
    text = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True).stdout
    after = json.loads(text)
    assert list(after) == list(before)
    assert [file for file in before if before[file] != after[file]] == ["simhand/evaluation/metrics.py"]


def test_a_missing_module_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from simhand.nowhere import x\n")
    with pytest.raises(ModuleNotFoundError, match=r"simhand\.nowhere"):
        code_fingerprint(tmp_path / "a.py")


def test_modules_and_packages_are_found() -> None:
    assert module_path("simhand.tables").name == "tables.py"
    assert module_path("simhand.mining").name == "__init__.py"
