"""The command line of the embedded demo.

python -m simhand.synthetic demo --jobs 2
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simhand.logs import job_log
from simhand.synthetic.demo import render_demo
from simhand.synthetic.settings import DemoSettings

_COUNTS = {"nargs": 2, "type": int, "metavar": ("TRAINING", "EVALUATION")}
_PAIRS: dict[str, dict[str, Any]] = {
    "seconds": {"nargs": 2, "type": float, "metavar": ("MIN", "MAX")},
    "dexycb": _COUNTS,
    "assemblyhands": _COUNTS,
}


def main(arguments: list[str] | None = None) -> None:
    """Renders a demo."""
    parser = argparse.ArgumentParser(prog="python -m simhand.synthetic", description="Renders the embedded demo.")
    parser.add_argument("out", type=Path, help="the folder to render into")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    for name, field in DemoSettings.model_fields.items():
        pair = _PAIRS.get(name, {"type": int})
        help_text = f"{field.description} (default: {field.default})"
        parser.add_argument(f"--{name}", default=field.default, help=help_text, **pair)
    options = vars(parser.parse_args(arguments))
    out, jobs = options.pop("out"), options.pop("jobs")
    if jobs < 1:
        parser.error("--jobs must be at least 1")
    try:
        settings = DemoSettings(**options)
    except ValidationError as error:
        parser.error(error.errors()[0]["msg"])
    with job_log():
        render_demo(out, settings, jobs)


if __name__ == "__main__":
    main()
