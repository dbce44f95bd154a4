"""What `simhand COMMAND --help` says, the same way for each command: what it does, an example, its exit statuses."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping

Commands = argparse._SubParsersAction  # of ArgumentParser

_WIDTH = 100


def command_parser(
    commands: Commands[argparse.ArgumentParser],
    name: str,
    about: str,
    *,
    explained: str,
    examples: str,
    statuses: Mapping[int, str],
) -> argparse.ArgumentParser:
    """Adds a command whose help ends with examples and exit statuses.

    Args:
        commands: of simhand, or of a command of its own commands.
        name: what it is called.
        about: what it does, in a line.
        explained: what else there is to know, as running text.
        examples: commands with what they do, a line each.
        statuses: exit statuses, and when they come.
    """
    codes = "\n".join(f"{code}  {when}" for code, when in {**statuses, 2: "wrong options; nothing was done"}.items())
    parts = [
        textwrap.fill(" ".join(explained.split()), _WIDTH),
        _block("examples", examples),
        _block("exit status", codes),
    ]
    parser = commands.add_parser(
        name,
        help=about,
        description=about[0].upper() + about[1:] + ".",
        epilog="\n\n".join(part for part in parts if part),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(parser=parser)
    return parser


def _block(title: str, lines: str) -> str:
    return f"{title}:\n{textwrap.indent(textwrap.dedent(lines).strip(), '  ')}"
