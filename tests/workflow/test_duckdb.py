"""DuckDB reads the tables without simhand."""

from __future__ import annotations

import duckdb
import pyarrow.parquet as pq

from tests.conftest import ROOT
from tests.documents.pages import blocks
from tests.workflow.checkout import Checkout
from tests.workflow.test_other_programs import python


def test_the_lines_of_the_documents_run(finished: Checkout) -> None:
    (lines,) = (text for _, text in blocks(ROOT / "docs" / "tables.md") if "duckdb" in text)
    shown = python(lines, finished.folder)
    assert "left" in shown
    assert "right" in shown


def test_it_reads_every_parquet_table(finished: Checkout) -> None:
    for path in sorted((finished.folder / "results").rglob("*.parquet")):
        relation = duckdb.read_parquet(str(path))
        assert relation.columns == pq.read_schema(path).names, path
        assert duckdb.sql("SELECT count(*) FROM relation").fetchall() == [(pq.read_metadata(path).num_rows,)], path


def test_two_tables_fit_together(finished: Checkout) -> None:
    pool = finished.folder / "results/pools/demo"
    query = f"""
        SELECT count(*), count(*) FILTER (WHERE mine.video_id = theirs.video_id)
        FROM '{pool}/neighbours/*.parquet' AS pair
        JOIN '{pool}/members.parquet' AS mine ON mine.row = pair.row
        JOIN '{pool}/members.parquet' AS theirs ON theirs.row = pair.neighbour
        WHERE pair.rank = 1
    """
    members = pq.read_metadata(pool / "members.parquet").num_rows
    assert duckdb.sql(query).fetchall() == [(members, 0)]
