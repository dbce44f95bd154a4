"""The options of an export that do not say where a pool lies."""

from __future__ import annotations

import argparse

from simhand.hand100m.settings import ExportSettings


def add_export_options(parser: argparse.ArgumentParser) -> None:
    """What of a pool is written, and under which name."""
    default = ExportSettings().annotations
    parser.add_argument("--annotations", default=default, help=f"the JSON's path inside it (default: {default})")
    parser.add_argument("--top-k", type=_positive, help="at most so many similar hands of each hand (default: all)")
    parser.add_argument("--skip-images", action="store_true", help="write the JSON only")


def export_settings(args: argparse.Namespace) -> ExportSettings:
    """The settings that these options say."""
    return ExportSettings(annotations=args.annotations, top_k=args.top_k, with_images=not args.skip_images)


def _positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return int(text)
