"""The command line of evaluation.

python -m simhand.evaluation --predictions out/predictions.parquet --metrics out/metrics.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

from simhand.evaluation.evaluate import evaluate
from simhand.logs import job_log


def main(arguments: list[str] | None = None) -> None:
    """Evaluates."""
    parser = argparse.ArgumentParser(prog="python -m simhand.evaluation", description=__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="the predictions to read, Parquet")
    parser.add_argument("--metrics", type=Path, required=True, help="the metrics to write, JSON")
    args = parser.parse_args(arguments)
    with job_log():
        evaluate(args.predictions, args.metrics)


if __name__ == "__main__":
    main()
