"""The command line of evaluation.

python -m simhand.evaluation --predictions predictions.parquet --metrics metrics.json
python -m simhand.evaluation --predictions predictions.parquet --freihand pred.json
python -m simhand.evaluation --score pred.json evaluation_xyz.json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from simhand.evaluation.evaluate import evaluate
from simhand.evaluation.freihand_challenge import score_submission, write_submission
from simhand.logs import job_log


def main(arguments: list[str] | None = None) -> None:
    """Evaluates, writes a submission to FreiHAND's challenge, or scores one."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if (args.predictions is None) != (args.metrics is None and args.freihand is None):
        parser.error("--predictions goes with --metrics, --freihand or both")
    if args.predictions is None and args.score is None:
        parser.error("nothing to do: give --predictions or --score")
    with job_log():
        if args.metrics:
            evaluate(args.predictions, args.metrics)
        if args.freihand:
            write_submission(args.predictions, args.freihand)
        if args.score:
            sys.stdout.write(json.dumps(score_submission(*args.score), indent=1) + "\n")


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m simhand.evaluation", description=__doc__, formatter_class=form)
    parser.add_argument("--predictions", type=Path, help="the predictions to read, Parquet")
    parser.add_argument("--metrics", type=Path, help="the metrics to write, JSON")
    parser.add_argument("--freihand", type=Path, help="the submission to FreiHAND's challenge to write, JSON")
    labels = "a submission to score, and FreiHAND's evaluation_xyz.json"
    parser.add_argument("--score", type=Path, nargs=2, metavar=("SUBMISSION", "LABELS"), help=labels)
    return parser


if __name__ == "__main__":
    main()
