from __future__ import annotations

import re

import pyarrow as pa

from simhand import tables
from simhand.hand100m import annotations
from simhand.prediction import tables as prediction_tables
from simhand.reporting import data_tables
from simhand.tables_docs import OTHER_FILES, PLACES, REPORTED, markdown
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "tables.md"
MODULES = (tables, annotations, data_tables, prediction_tables)
OUTPUTS = {
    path
    for rules in (ROOT / "rules").glob("*.smk")
    for path in re.findall(r'^ {8,12}(?:\w+=)?"(results/[^"]+)",$', rules.read_text(), re.MULTILINE)
}


def test_the_page_is_that_of_the_code() -> None:
    """`make docs` mends it."""
    assert PAGE.read_text() == markdown()


def test_every_table_is_there_with_every_column() -> None:
    sections = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", markdown(), re.MULTILINE | re.DOTALL))
    schemas = {
        name: value for module in MODULES for name, value in vars(module).items() if isinstance(value, pa.Schema)
    }
    assert set(sections) == set(schemas)
    for name, schema in schemas.items():
        rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]*) \|$", sections[name], re.MULTILINE)
        assert [row[0] for row in rows] == schema.names, name
        assert [row[2].strip() == "may be null" for row in rows] == [field.nullable for field in schema], name
    assert "`side` | string" in sections["HANDS"]
    assert "`keypoints` | 63 x float" in sections["MEMBERS"]
    assert "`keypoints` | list of float | may be null" in sections["KEYPOINTS"]


def test_every_table_is_explained() -> None:
    for text in re.findall(r"^### `\w+`\n\n`[^`]+`\n\n(.*?)\n\n\| column", markdown(), re.MULTILINE | re.DOTALL):
        assert len(text) > 40, text
    assert "\n\nStage 3. `score` is the detector's own" in markdown()
    assert "`DROPPED`: score, size, contact, balance." in markdown()


def test_each_file_is_the_output_of_a_rule() -> None:
    names = [name for name, value in vars(data_tables).items() if isinstance(value, pa.Schema)]
    paths = {*PLACES.values(), *OTHER_FILES, *(REPORTED.format(name.lower()) for name in names)}
    assert paths - {PLACES["HAND_JOINTS"]} <= OUTPUTS
