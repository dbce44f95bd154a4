"""The command line of the official annotations, by the paths of a pool's files; `export_pool` says what is written.

`simhand export pairs` finds them by the pool's name.

python -m simhand.hand100m export --members results/pools/P/members.parquet
    --neighbours results/pools/P/neighbours/*.parquet --crops results/crops --frames results/frames --out folder
"""

from __future__ import annotations

import argparse
from pathlib import Path

from simhand.hand100m.export_options import add_export_options, export_settings
from simhand.hand100m.exporting import PoolFiles, export_pool
from simhand.hand100m.frame_files import AnnotatedImages
from simhand.logs import job_log


def main(arguments: list[str] | None = None) -> None:
    """Exports a pool."""
    args = _parser().parse_args(arguments)
    tables = args.imported or args.crops.parent / "annotations"
    annotated = {source: AnnotatedImages(folder, tables / f"{source}.arrow") for source, folder in args.images}
    files = PoolFiles(args.members, args.neighbours, args.crops, args.frames, annotated)
    with job_log():
        export_pool(files, args.out, export_settings(args))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simhand.hand100m", description="The official annotations.")
    commands = parser.add_subparsers(required=True, metavar="export")
    export = commands.add_parser("export", help="write a pool as official annotations, with its frames")
    export.add_argument("--members", type=Path, required=True, help="members.parquet of the pool")
    export.add_argument("--neighbours", type=Path, nargs="+", required=True, help="all its neighbour tables")
    export.add_argument("--crops", type=Path, required=True, help="folder of {source}/{shard}.arrow")
    export.add_argument("--frames", type=Path, required=True, help="folder of {source}/{shard}.arrow")
    export.add_argument("--out", type=Path, required=True, help="the folder to write")
    add_export_options(export)
    export.add_argument(
        "--images",
        type=_named_folder,
        nargs="+",
        default=[],
        metavar="SOURCE=FOLDER",
        help="where the images of a source lie that was imported from annotations",
    )
    export.add_argument(
        "--imported",
        type=Path,
        metavar="FOLDER",
        help="of {source}.arrow, the annotations as they were imported (default: annotations, beside the crops)",
    )
    return parser


def _named_folder(text: str) -> tuple[str, Path]:
    source, equals, folder = text.partition("=")
    if not equals or not Path(folder).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not SOURCE=FOLDER with an existing folder")
    return source, Path(folder)


if __name__ == "__main__":
    main()
