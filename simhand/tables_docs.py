"""Writes docs/tables.md out of the schemas of all tables, and of the comments that explain them.

python -m simhand.tables_docs docs
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pyarrow as pa

from simhand import tables
from simhand.files import whole_file
from simhand.hand100m import annotations as annotated_tables
from simhand.prediction import tables as prediction_tables
from simhand.reporting import data_tables

PLACES = {
    "FRAMES": "results/frames/{source}/{shard}.arrow",
    "VIDEO_STATUS": "results/frames/{source}/{shard}.status.parquet",
    "HANDS": "results/hands/{source}/{shard}.parquet",
    "BALANCED": "results/balanced/{source}/{shard}.parquet",
    "CROPS": "results/crops/{source}/{shard}.arrow",
    "KEYPOINTS": "results/keypoints/{source}/{shard}.parquet",
    "MEMBERS": "results/pools/{pool}/members.parquet",
    "NEIGHBOURS": "results/pools/{pool}/neighbours/{query}.parquet",
    "PREDICTIONS": "results/finetuning/{labelled}/{run}/{percent}/{seed}/predictions.parquet",
    "ANNOTATIONS": "results/annotations/{annotated}.arrow",
    "HAND_JOINTS": "joints.parquet",
}
"""Where each table lies; those of the data report have their own names."""
REPORTED = "results/report/data/{}.parquet"

OTHER_FILES = {
    "results/videos/{source}/{shard}.tsv": "the videos of a shard, tab-separated: `video_id`, `path`, `size_bytes`, "
    "`fingerprint` (of the content), `frame_rate` (0 for a file)",
    "results/pools/{pool}/pca.npz": "NumPy, float64: `mean` (42), `components` (D, 42), `explained_variance` (D), "
    "`explained_variance_ratio` (D)",
    "results/pools/{pool}/embeddings.npy": "NumPy, float32 (n, D): row i is row i of the members",
    "results/pretraining/{run}/encoder.pt": "PyTorch, torchvision's state_dict of a ResNet without `fc`",
    "results/pretraining/{run}/official.ckpt": "PyTorch, the same with the projection head, under the official "
    "code's names",
    "results/pretraining/{run}/encoder_exported.pt2": "a program for `torch.export.load`: images (n, 3, s, s) to "
    "features",
    "results/pretraining/{run}/card.json": "what the encoder is: data, settings, code, steps, loss",
    "results/pretraining/{run}/pairs.npz": "NumPy: some pairs as the first step saw them",
    "results/pretraining/{run}/metrics.jsonl": "a JSON object a line: loss, learning rate, gradient, images a second",
    "results/finetuning/{labelled}/{run}/{percent}/{seed}/model.pt": "PyTorch, a fine-tuned model, which "
    "`simhand predict` takes",
    "results/finetuning/{labelled}/{run}/{percent}/{seed}/training.jsonl": "a JSON object a line: losses and errors",
    "results/finetuning/{labelled}/{run}/{percent}/{seed}/metrics.json": "the errors: "
    "[finetuning.md](finetuning.md#evaluation) explains each",
}
"""What is no table of Arrow's, by path; `{...}` are names of the configuration and of its shards."""

REPORT_FILES = {
    "results/report/table.csv": "the errors, a row a labelled set, share of its labels and run: `labelled`, `percent`, "
    "`run`, `seeds`, `images`; means over seeds and, as `..._std`, their standard deviation of `mpjpe_mm`, "
    "`mpjpe_mm_std`, `pa_mpjpe_mm`, `pa_mpjpe_mm_std` and, in percent, `pck_auc_20_50`, `pck_auc_20_50_std`, "
    "`pck_auc_0_50`, `pck_auc_0_50_std`; `mean_pose_mpjpe_mm`, of answering with the mean pose; `difference_mm`, of "
    "mpjpe_mm to the run none, and its 95 % interval `difference_low_mm` to `difference_high_mm`",
    "results/report/joints.csv": "the errors by joint: `labelled`, `percent`, `run`, `joint` (by name), `seeds`, "
    "`mpjpe_mm`",
    "results/report/conditions.csv": "the errors by finger, side, occlusion and camera: `labelled`, `percent`, "
    "`condition`, `bin`, `run`, `seeds`, `images`, `mpjpe_mm`, `mpjpe_mm_std`",
    "results/report/runs.csv": "pre-training: `run`, `method`, `weighting`, `encoder`, `pool`, `hands`, `epochs`, "
    "`steps`, `pairs_per_step`, `final_loss`, `chance` (the loss of an encoder that knows nothing), `images_per_s`, "
    "`data_wait_fraction` (the share of the time in which training waited for data)",
    "results/report/costs.csv": "by rule: `rule`, `jobs`, sums of wall and CPU time `wall_s` and `cpu_s`, the longest "
    "job `longest_s`, the largest peak of memory `max_rss_mb`",
}
"""The tables beside the report (CSV), by path."""

_HEAD = """\
# Tables and files

Every table that passes between stages, column by column. This page is made from `simhand/tables.py` and its like
(`make docs`); a test fails when they differ. Each table is Parquet or an Arrow file (IPC, not compressed), which pandas
and many others read without simhand; the Parquet ones DuckDB too:

```python
import pandas as pd
import pyarrow as pa

hands = pd.read_parquet("results/hands/demo")  # all shards of a source
with pa.memory_map("results/crops/demo/0of4.arrow") as file:
    crops = pa.ipc.open_file(file).read_pandas()
```

```python
import duckdb

duckdb.sql("SELECT side, count(*) FROM 'results/hands/*/*.parquet' GROUP BY side").show()
```

A table that a stage reads is checked against this; one of another version is refused, with the name of the file.
"""


def markdown() -> str:
    """The reference of all tables and files."""
    parts = [_HEAD, f"## Between stages\n\n{_prose(_docstring(tables))}\n"]
    for module in (tables, annotated_tables):
        parts += _tables(module)
    parts.append("## Files that are no tables\n")
    parts += [*_files(OTHER_FILES), "\n## Of the report\n", *_files(REPORT_FILES)]
    parts += ["\n## Of the data report\n", *_tables(data_tables)]
    parts += [f"## Of `simhand predict`\n\n{_prose(_docstring(prediction_tables))}\n", *_tables(prediction_tables)]
    return "\n".join(parts)


def _files(texts: Mapping[str, str]) -> Iterator[str]:
    yield "\n".join(["| file | holds |", "| --- | --- |", *(f"| `{path}` | {text} |" for path, text in texts.items())])


def _tables(module: ModuleType) -> Iterator[str]:
    """A section for each schema of a module, in the order of its source."""
    for name, comment in _explained(module):
        place = REPORTED.format(name.lower()) if module is data_tables else PLACES[name]
        yield f"### `{name}`\n\n`{place}`\n\n{comment}\n"
        yield "\n".join(["| column | type | |", "| --- | --- | --- |", *map(_row, getattr(module, name)), ""])


def _row(field: pa.Field) -> str:
    return f"| `{field.name}` | {_type(field.type)} | {'may be null' if field.nullable else ''} |"


def _type(kind: pa.DataType) -> str:
    text = re.sub(r"item: (\w+)[^>]*", r"\1", str(kind))
    return re.sub(r"fixed_size_list<(\w+)>\[(\d+)\]", r"\2 x \1", text).replace("list<", "list of ").replace(">", "")


def _explained(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Each schema with the comments between it and the one before; that which names the stage first."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    comments: list[str] = []
    for statement in ast.parse(source).body:
        comments += _comment_above(lines, statement.lineno)
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) if isinstance(getattr(module, name, None), pa.Schema):
                words = sorted(comments, key=lambda text: not text.startswith("Stage"))
                yield name, "\n\n".join(_prose(text) for text in [*words, *_vocabularies(module, " ".join(words))])
                comments = []


def _comment_above(lines: list[str], lineno: int) -> list[str]:
    """The block of comment lines right above a line, as one text."""
    above = lineno - 1  # of lines, which count from 0
    while above and lines[above - 1].startswith("#"):
        above -= 1
    block = [line.removeprefix("#").strip() for line in lines[above : lineno - 1]]
    return [" ".join(block)] if block else []


def _vocabularies(module: ModuleType, text: str) -> Iterator[str]:
    """What the constants that a text names hold."""
    for name in dict.fromkeys(re.findall(r"\b[A-Z][A-Z_]{3,}\b", text)):
        value = getattr(module, name, None) or getattr(tables, name, None)
        if isinstance(value, tuple):
            yield f"`{name}`: {', '.join(value)}."


def _docstring(module: ModuleType) -> str:
    """What a module says after its first line, as one text."""
    return " ".join((module.__doc__ or "").split("\n\n", 1)[1].split())


def _prose(text: str) -> str:
    """Outside of names in backquotes, nothing that Markdown would take for markup."""
    parts = text.split("`")
    return "`".join(part if i % 2 else part.replace("_", "\\_").replace("*", "\\*") for i, part in enumerate(parts))


def main(folder: str) -> None:
    """Writes the page into a folder."""
    with whole_file(Path(folder, "tables.md")) as temporary:
        temporary.write_text(markdown())


if __name__ == "__main__":
    main(sys.argv[1])
