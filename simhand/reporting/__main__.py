"""Prints the tables of a finished report, and where the rest of it is.

python -m simhand.reporting results/report
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simhand.errors import TableError
from simhand.logs import job_log


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m simhand.reporting", description="Prints the table of a report.")
    parser.add_argument("folder", type=Path, help="the report's folder, results/report")
    folder = parser.parse_args(arguments).folder
    with job_log():
        tables = [path for path in (folder / "table.md", *sorted(folder.glob("paper/*.md"))) if path.is_file()]
        if not tables:
            raise TableError("no report", where=folder, expected="table.md", hint="snakemake --cores 2 all makes it")
        sys.stdout.write("".join(f"\n{path.read_text()}" for path in tables))
        if (folder / "index.html").is_file():
            sys.stdout.write(f"\nThe report: {folder / 'index.html'}\n")


if __name__ == "__main__":
    main()
