"""`simhand init`: writes a configuration for the user's folders."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simhand.command_help import Commands, command_parser
from simhand.errors import InputError

if TYPE_CHECKING:
    from simhand.config import Config
    from simhand.start.found import Found

_EXPLAINED = """Each PATH is looked at: a folder of videos (with those below it), a folder of extracted frames (a folder
a video), a .txt that lists videos, a JSON of Hand100M (with --images), or a labelled set as it is downloaded (FreiHAND,
DexYCB, AssemblyHands). What is written says what was found, explains itself, and is meant to be edited."""
_EXAMPLES = """
simhand init /data/videos --out my.yaml                       videos alone: similar hands, and an encoder
simhand init /data/videos /data/FreiHAND_pub_v2 --gpus 8      and what that encoder is worth on FreiHAND
simhand init Hand100M_Ego4D_100k_v1-1.json --images /data/ego4d_frames --out released.yaml
"""
_STATUSES = {0: "written", 1: "nothing was written: a PATH is none of these, or the file exists"}


def add_command(commands: Commands[argparse.ArgumentParser]) -> None:
    """Adds `init` to the commands of simhand."""
    about = "write a commented configuration for your folders, after looking at them"
    parser = command_parser(commands, "init", about, explained=_EXPLAINED, examples=_EXAMPLES, statuses=_STATUSES)
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="folders and files with hands or labels")
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="of the images that a JSON of Hand100M names")
    parser.add_argument("--out", type=Path, default=Path("config.yaml"), metavar="FILE", help="(default: %(default)s)")
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")
    help_gpus = "that training will have; 0: small settings for CPUs (default: as many as this machine has)"
    parser.add_argument("--gpus", type=_count, metavar="COUNT", help=help_gpus)
    parser.set_defaults(run=run)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Looks, and writes.

    Returns:
        0: written.

    Raises:
        InputError: the file exists, or something is not what simhand knows.
        ConfigError: what was found does not make a configuration.
    """
    if args.out.exists() and not args.force:
        other = "my.yaml" if args.out.name != "my.yaml" else "other.yaml"
        hint = f"--out {other}, and then `snakemake --configfile {other}`; or --force, which replaces it"
        raise InputError("the file exists", where=args.out, hint=hint)
    import torch  # noqa: PLC0415 - takes seconds, which --help need not wait for

    from simhand.files import whole_file  # noqa: PLC0415
    from simhand.start.choices import hands, training  # noqa: PLC0415
    from simhand.start.found import look_at  # noqa: PLC0415
    from simhand.start.writing import configuration, names  # noqa: PLC0415

    found = [look_at(path) for path in dict.fromkeys(args.paths)]
    width = max(len(str(one.path)) for one in found)
    for one in found:
        sys.stdout.write(f"{one.path!s:<{width}}  {one.said}\n")
    _check(found, args.images)
    named = names(found)
    sources = {name: one for name, one in named.items() if one.kind != "labelled"}
    labelled = {name: one for name, one in named.items() if one.kind == "labelled"}
    gpus = torch.cuda.device_count() if args.gpus is None else args.gpus
    chosen = training(gpus, os.cpu_count() or 1, hands(list(sources.values())))
    text = configuration(sources, labelled, chosen, args.images)
    config = _checked(text, args.out)
    with whole_file(args.out) as temporary:
        temporary.write_text(text)
    sys.stdout.write(_overwritten(config))
    sys.stdout.write(_next(args.out, gpus, given=args.gpus is not None))
    return 0


def _check(found: Sequence[Found], images: Path | None) -> None:
    """Refuses what makes no configuration."""
    kinds = [one.kind for one in found]
    if all(kind == "labelled" for kind in kinds):
        raise InputError(
            "no source of hands is named", expected="videos, frames, or a JSON of Hand100M", got="labels only"
        )
    if ("annotations" in kinds) != (images is not None):
        got = "no --images" if images is None else "no JSON"
        hint = "--images /data/ego4d_frames names the folder that each file_name in the JSON starts from"
        raise InputError("a JSON of Hand100M and its images belong together", expected="both", got=got, hint=hint)


def _checked(text: str, out: Path) -> Config:
    """As it loads; what does not is not written."""
    import yaml  # noqa: PLC0415

    from simhand.config import load_config  # noqa: PLC0415

    return load_config(yaml.safe_load(text), where=out)


def _overwritten(config: Config) -> str:
    """A warning where results of another configuration lie under the same names."""
    named = [Path("results/pools", name) for name in config.pools]
    named += [Path("results/pretraining", name) for name in config.pretraining]
    there = [str(path) for path in named if path.exists()]
    if not there:
        return ""
    return f"""
Results of these names are there already, and this configuration would replace them: {", ".join(there)}.
Keep it in a checkout of its own, or choose other names.
"""


def _next(out: Path, gpus: int, *, given: bool) -> str:
    option = "" if str(out) == "config.yaml" else f" --configfile {shlex.quote(str(out))}"
    rows = {
        f"simhand doctor{option}": "is all there, and what will it cost?",
        f"simhand why{option}": "what would run",
        f"snakemake --cores 2 all{option}": "run it",
    }
    width = max(map(len, rows))
    small = "No GPU here, so training is small and short; --gpus 8 writes for machines with GPUs.\n"
    lines = [f"  {command:<{width}}  {what}" for command, what in rows.items()]
    return "\n".join([f"\n{small if not gpus and not given else ''}Wrote {out}. Next:", *lines, ""])
