"""`simhand export`: an encoder in another form, or a pool's pairs as Hand100M JSON."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import get_args

from simhand.command_help import Commands, command_parser
from simhand.errors import InputError
from simhand.pretraining.settings import EncoderName

_RESULTS = Path("results")
_EXAMPLES = """
simhand export encoder simhand --form safetensors --out hand.safetensors
simhand export pairs kitchen --out exported --top-k 1
"""
_OF_ENCODER = {
    "explained": """RUN is a pre-training run of this folder, its folder, or any file of weights that `encoders` of the
configuration may name: torchvision's state_dict, the official checkpoint, PeCLR's published file. Whatever the form,
the encoder takes RGB images (n, 3, h, w), normalised with ImageNet's mean and deviation, to features (n, 512 or 2048).
torchvision: a state_dict without fc, for torchvision's ResNets. safetensors: the same tensors, for
programs that open no pickles (pip install safetensors). program: for torch.export.load, without torchvision.
torchscript: for torch.jit.load and C++; PyTorch has deprecated it. The file is read back, and must give the same
features, before it appears.""",
    "examples": """
simhand export encoder simhand --out hand.pt                      results/pretraining/simhand, for torchvision
simhand export encoder simhand --form torchscript --out hand.ts   for C++
simhand export encoder official.ckpt --form program --out hand.pt2
""",
    "statuses": {0: "written", 1: "not written"},
}
_OF_PAIRS = {
    "explained": """Writes a pool of the configuration with its pairs as one JSON in the official layout, and the frames
that it names, so that the official loader reads them. `hand_id` is a number, as that code needs; ours is `simhand_id`.
Existing files of the same name are replaced.""",
    "examples": """
simhand export pairs kitchen --out exported
simhand export pairs kitchen --out exported --top-k 1 --skip-images
simhand export pairs ego --out exported --annotations annotations/Ego4D/Hand100M_Ego4D_1m_v1-1.json
""",
    "statuses": {0: "written", 1: "not, or not all of it: no such pool, or it is not finished"},
}


def add_command(commands: Commands[argparse.ArgumentParser]) -> None:
    """Adds `export` to the commands of simhand."""
    about = "write an encoder or a pool's pairs in forms that other programs read"
    statuses = {0: "written", 1: "not, or not all of it"}
    explained = "`simhand export encoder --help` and `simhand export pairs --help` have the details."
    parser = command_parser(commands, "export", about, explained=explained, examples=_EXAMPLES, statuses=statuses)
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    _add_encoder(kinds)
    _add_pairs(kinds)


def _add_encoder(kinds: Commands[argparse.ArgumentParser]) -> None:
    about = "write an encoder in a chosen form"
    parser = command_parser(kinds, "encoder", about, **_OF_ENCODER)  # type: ignore[arg-type]
    parser.add_argument("encoder", metavar="RUN", help="a run, its folder, or a file of weights")
    forms = ("torchvision", "safetensors", "program", "torchscript")
    parser.add_argument("--form", choices=forms, default=forms[0], help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="what is written")
    resnet = "the ResNet's name, where neither a card beside the weights nor they themselves tell"
    parser.add_argument("--encoder", dest="name", choices=get_args(EncoderName), help=resnet)
    parser.set_defaults(run=run_encoder)


def _add_pairs(kinds: Commands[argparse.ArgumentParser]) -> None:
    from simhand.hand100m.export_options import add_export_options  # noqa: PLC0415

    about = "write a pool's hands and pairs as Hand100M JSON, with their frames"
    parser = command_parser(kinds, "pairs", about, **_OF_PAIRS)  # type: ignore[arg-type]
    parser.add_argument("pool", metavar="POOL", help="its name in the configuration")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="what is written")
    parser.add_argument(
        "--configfile", type=Path, default=Path("config.yaml"), metavar="FILE", help="(default: %(default)s)"
    )
    add_export_options(parser)
    parser.set_defaults(run=run_pairs)


def run_encoder(args: argparse.Namespace) -> int:
    """Writes an encoder.

    Returns:
        0: written.

    Raises:
        SimhandError: no such run, or what it holds is no encoder.
        ModuleNotFoundError: the form needs a package that is not installed.
    """
    from simhand.export.encoder import export_encoder  # noqa: PLC0415 - takes seconds

    difference = export_encoder(_weights(args.encoder), args.form, args.out, args.name)
    size_mb = args.out.stat().st_size / 1e6
    sys.stdout.write(f"{args.out}: {args.form}, {size_mb:.0f} MB; features differ by {difference:.1g} at most\n")
    return 0


def _weights(name: str) -> Path:
    """The file of weights: a run's, also where a folder here is called as it is, as simhand; or the one that is named.

    Raises:
        InputError: there is none.
    """
    runs = _RESULTS / "pretraining"
    for path in (runs / name / "encoder.pt", Path(name) / "encoder.pt", Path(name)):
        if path.is_file():
            return path
    finished = sorted(path.parent.name for path in runs.glob("*/encoder.pt"))
    raise InputError(
        "no such encoder",
        where=runs / name / "encoder.pt",
        expected=f"a finished run ({', '.join(finished) or 'there is none here'}), its folder, or a file of weights",
        got=name,
        hint="snakemake --cores 2 pretrained makes those that are configured",
    )


def run_pairs(args: argparse.Namespace) -> int:
    """Writes a pool.

    Returns:
        0: written.

    Raises:
        SimhandError: no such pool, it is not finished, or its tables do not fit together.
    """
    from simhand.config_file import read_config  # noqa: PLC0415 - other commands need none of these
    from simhand.export.pool_files import pool_files  # noqa: PLC0415
    from simhand.hand100m.export_options import export_settings  # noqa: PLC0415
    from simhand.hand100m.exporting import export_pool  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = read_config(args.configfile)
    export_pool(pool_files(config, args.pool, _RESULTS), args.out, export_settings(args))
    return 0
