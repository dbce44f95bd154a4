"""What the workflow leaves is read by others without simhand: the documents' own lines, and every table it wrote."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simhand.tables_docs import PLACES
from tests.conftest import ROOT
from tests.documents.pages import blocks
from tests.workflow.checkout import Checkout

WITHOUT_SIMHAND = "import sys; sys.modules['simhand'] = None; sys.path = [p for p in sys.path if p]\n"
LINES = [
    pytest.param(text, id=f"{page} {number}")
    for page in ("tables.md", "tutorial.md")
    for number, (language, text) in enumerate(blocks(ROOT / "docs" / page))
    if language == "python" and "duckdb" not in text
]


def python(code: str, folder: Path) -> str:
    """What code prints in a process that cannot import simhand."""
    command = [sys.executable, "-c", WITHOUT_SIMHAND + code]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("lines", LINES)
def test_the_lines_of_the_documents_run(finished: Checkout, lines: str) -> None:
    shard = min((finished.folder / "results/crops/demo").glob("*.arrow"))
    python(lines.replace("0of4.arrow", shard.name), finished.folder)  # this demo has other shards


def test_pandas_reads_every_table(finished: Checkout) -> None:
    results = finished.folder / "results"
    paths = sorted(results.rglob("*.parquet"))
    assert {path.relative_to(results).parts[0] for path in paths} >= {
        *("frames", "hands", "balanced", "keypoints", "pools", "finetuning", "report"),
    }
    for path in paths:
        frame = pd.read_parquet(path)
        assert list(frame.columns) == pq.read_schema(path).names, path
        assert len(frame) == pq.read_metadata(path).num_rows, path
    for path in sorted(results.rglob("*.arrow")):
        with pa.memory_map(str(path)) as file:
            frame = pa.ipc.open_file(file).read_pandas()
        assert "video_id" in frame.columns, path


def test_the_tables_lie_where_the_documents_say(finished: Checkout) -> None:
    fields = ("source", "shard", "pool", "query", "labelled", "run", "percent", "seed")
    names = dict.fromkeys(fields, "*")
    for table, place in PLACES.items():
        if table not in {"ANNOTATIONS", "HAND_JOINTS"}:
            assert list(finished.folder.glob(place.format(**names))), place


def test_two_tables_fit_together_in_pandas(finished: Checkout) -> None:
    """As somebody would ask it: of which video is each hand's most similar hand?"""
    pool = finished.folder / "results/pools/demo"
    members, pairs = pd.read_parquet(pool / "members.parquet"), pd.read_parquet(pool / "neighbours")
    first = pairs[pairs["rank"] == 1].merge(members, on="row").merge(members, left_on="neighbour", right_on="row")
    assert len(first) == len(members)
    assert (first["video_id_x"] != first["video_id_y"]).all()
