"""What each stage cost in time and memory, from the files that Snakemake's benchmarks leave."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from simhand.reporting.grid import Grid

_COLUMNS = {"s": "wall_s", "cpu_time": "cpu_s", "max_rss": "max_rss_mb"}  # Snakemake's names, and ours
_OWN = "write_report"  # what lies there of the page's own job is of another time
_HEADINGS = ("rule", "jobs", "time, all jobs", "longest job", "CPU time", "most memory of a job")


def cost_table(folder: Path) -> tuple[pd.DataFrame, int]:
    """What the jobs took whose benchmarks are there, the last time that each ran; the costliest rule first.

    Args:
        folder: holds {rule}.tsv or {rule}/**/*.tsv; it need not be there.

    Returns:
        columns rule, jobs, wall_s (sum), longest_s, cpu_s (sum), max_rss_mb (most of a job); NaN where no job lived
        long enough to be measured. And how many files could not be read: a killed job leaves half a file.
    """
    found = [(_rule(path, folder), _read(path)) for path in sorted(folder.rglob("*.tsv"))]
    rows = [{"rule": rule, **costs} for rule, costs in found if costs is not None and rule != _OWN]
    lost = sum(costs is None for _, costs in found)
    groups = pd.DataFrame(rows, columns=["rule", *_COLUMNS.values()]).groupby("rule")
    table = groups.agg(
        jobs=("wall_s", "size"),
        wall_s=("wall_s", "sum"),
        longest_s=("wall_s", "max"),
        cpu_s=("cpu_s", lambda column: column.sum(min_count=1)),
        max_rss_mb=("max_rss_mb", "max"),
    )
    return table.reset_index().sort_values(["wall_s", "rule"], ascending=[False, True], ignore_index=True), lost


def _rule(path: Path, folder: Path) -> str:
    return path.relative_to(folder).parts[0].removesuffix(".tsv")


def _read(path: Path) -> dict[str, float] | None:
    """The last line of a file, by our names; None where it cannot be read. What was not measured is NaN."""
    try:
        last = pd.read_csv(path, sep="\t", na_values=["NA", "-"]).iloc[-1]
        return {name: float(last[key]) for key, name in _COLUMNS.items()}
    except (OSError, ValueError, KeyError, IndexError):
        return None


def cost_grid(table: pd.DataFrame) -> Grid:
    """The costs for reading, with all rules together in the last line."""
    columns = (
        table["rule"],
        [f"{jobs:,}" for jobs in table["jobs"]],
        *([_time(seconds) for seconds in table[name]] for name in ("wall_s", "longest_s", "cpu_s")),
        [_memory(megabytes) for megabytes in table["max_rss_mb"]],
    )
    rows = list(zip(*columns, strict=True))
    total = _time(table["wall_s"].sum()), _time(table["longest_s"].max()), _time(table["cpu_s"].sum(min_count=1))
    rows.append(("all", f"{table['jobs'].sum():,}", *total, _memory(table["max_rss_mb"].max())))
    return Grid(_HEADINGS, rows, frozenset(range(1, len(_HEADINGS))))


def _time(seconds: float) -> str:
    if pd.isna(seconds):
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60:02d} min"


def _memory(megabytes: float) -> str:
    return "" if pd.isna(megabytes) else f"{megabytes:,.0f} MB"
