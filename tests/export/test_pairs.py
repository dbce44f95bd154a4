"""`simhand export pairs`: a pool by its name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from simhand.__main__ import main
from simhand.hand100m.__main__ import main as by_paths
from tests.hand100m.made_up import make_pool

POOL = Path("results/pools/mine")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a pool of two sources is finished."""
    files = make_pool(tmp_path / "results").files
    (tmp_path / POOL / "neighbours").mkdir(parents=True)
    files.members.rename(tmp_path / POOL / "members.parquet")
    for number, path in enumerate(files.neighbours):
        path.rename(tmp_path / POOL / "neighbours" / f"{number}of2.parquet")
    sources = {name: {"videos": "."} for name in ("cam", "web")}
    config = {"sources": sources, "pools": {"mine": {"sources": list(sources), "query_shards": 2}}}
    config["sources"]["web"] = {"videos": "results"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_by_its_name_as_by_its_paths(here: Path) -> None:
    assert main(["export", "pairs", "mine", "--out", "named", "--top-k", "2"]) == 0
    neighbours = [str(path) for path in sorted((POOL / "neighbours").iterdir())]
    tables = ["--members", str(POOL / "members.parquet"), "--neighbours", *neighbours]
    by_paths(
        ["export", *tables, "--crops", "results/crops", "--frames", "results/frames", "--out", "paths", "--top-k", "2"]
    )
    written = contents(Path("named"))
    assert written == contents(Path("paths"))
    whole = json.loads(written[Path("annotations.json")])
    assert {len(hand["positive_sample"]) for hand in whole["annotations"]} == {2}
    assert len(written) == 1 + len(whole["images"])


def test_an_unknown_or_unfinished_pool_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "pairs", "yours", "--out", "out"]) == 1
    assert "expected: one of mine\n  got:      yours" in capsys.readouterr().err
    (POOL / "neighbours" / "1of2.parquet").unlink()
    assert main(["export", "pairs", "mine", "--out", "out"]) == 1
    told = capsys.readouterr().err
    assert "the pool mine is not finished\n  where:    results/pools/mine/neighbours/1of2.parquet" in told
    assert "hint:     snakemake --cores 2 results/pools/mine/neighbours/0of2.parquet" in told
    assert main(["export", "pairs", "mine", "--out", "out", "--configfile", "gone.yaml"]) == 1
    assert not Path("out").exists()
