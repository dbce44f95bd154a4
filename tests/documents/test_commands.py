"""Every command that a document names can be typed: the program knows its options, the workflow its targets."""

from __future__ import annotations

import argparse
import importlib.util
import re
import runpy
import sys
from collections.abc import Callable

import pytest
import yaml
from pydantic import ValidationError
from snakemake.cli import get_argument_parser

from simhand.__main__ import main
from simhand.config import Config
from tests.conftest import ROOT
from tests.documents.pages import PAGES, Command, blocks, commands

TYPED = [page for page in PAGES if page.parent.name != "benchmarks"]  # there, blocks hold what was printed
ALL = [command for page in TYPED for command in commands(page)]
RULES = {
    name
    for path in [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]
    for name in re.findall(r"^ *rule (\w+):", path.read_text(), re.MULTILINE)
}
MAKE = (ROOT / "Makefile").read_text()


def of(program: str) -> list[Command]:
    return [command for command in ALL if command.words[0] == program and "..." not in command.words]


class ParserSeenError(BaseException):
    """Ends a program as soon as it would read its arguments; no program takes it for an error of its own."""


@pytest.fixture
def parser_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], argparse.ArgumentParser]:
    """The parser with which a program reads its command line, without running anything after that."""

    def find(program: Callable[[], object]) -> argparse.ArgumentParser:
        seen: list[argparse.ArgumentParser] = []

        def stop(parser: argparse.ArgumentParser, *_: object) -> None:
            seen.append(parser)
            raise ParserSeenError

        with monkeypatch.context() as patch, pytest.raises(ParserSeenError):
            patch.setattr(argparse.ArgumentParser, "parse_known_args", stop)  # which parse_args calls
            program()
        return seen[0]

    return find


def check(parser: argparse.ArgumentParser, command: Command, arguments: list[str]) -> argparse.Namespace | None:
    """A whole command must parse; of one that is only spoken of, the command's name and its options must exist."""
    if command.whole:
        try:
            return parser.parse_args(arguments)
        except SystemExit as ended:  # after --help with 0
            assert not ended.code, command
            return None
    for word in arguments:
        if word.startswith("-"):
            known = {option for action in parser._actions for option in action.option_strings}
            assert word.split("=")[0] in known, command
        elif not word.isupper():  # as COMMAND is, which stands for any
            parser = inner(parser, word, command)
    return None


def inner(parser: argparse.ArgumentParser, word: str, command: Command) -> argparse.ArgumentParser:
    """The parser of the command that a word names, where the word must be one."""
    choices = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not choices:
        return parser
    assert word in choices[0], command
    found: argparse.ArgumentParser = choices[0][word]
    return found


@pytest.mark.parametrize("command", of("simhand"), ids=str)
def test_simhand_knows_it(
    command: Command, parser_of: Callable[[Callable[[], object]], argparse.ArgumentParser]
) -> None:
    check(parser_of(lambda: main([])), command, list(command.words[1:]))


@pytest.mark.parametrize("command", of("python"), ids=str)
def test_modules_know_it(
    command: Command,
    parser_of: Callable[[Callable[[], object]], argparse.ArgumentParser],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module, *arguments = command.words[2:]
    if module.split(".")[0] != "simhand":
        assert importlib.util.find_spec(module), command
        return
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    check(parser_of(lambda: runpy.run_module(module, run_name="__main__")), command, arguments)


@pytest.mark.parametrize("command", of("snakemake"), ids=str)
def test_snakemake_knows_it(command: Command) -> None:
    parsed = check(get_argument_parser(), command, list(command.words[1:]))
    targets = parsed.targets if parsed else [word for word in command.words[1:] if word in RULES]
    assert all(target in RULES or target.startswith("results/") for target in targets), command
    words = list(command.words)
    for option in ("--forcerun", "-R"):
        if option in words:
            forced = words[words.index(option) + 1]
            assert forced in RULES or forced.startswith("results/"), command
    if parsed and parsed.profile:
        assert all((ROOT / profile / "config.yaml").is_file() for profile in parsed.profile), command


@pytest.mark.parametrize("command", of("make"), ids=str)
def test_make_knows_it(command: Command) -> None:
    for word in command.words[1:]:
        pattern = rf"^{word.split('=')[0]} \?=" if "=" in word else rf"^{re.escape(word)}:.*## "
        assert re.search(pattern, MAKE, re.MULTILINE), command


CONFIGURATIONS = [
    pytest.param(values, id=f"{page.relative_to(ROOT)}: {', '.join(values)}")
    for page in TYPED
    for language, text in blocks(page)
    if language in {"yaml", ""}
    and re.match(r"[a-z]\w*:(?:\s|$)", text)
    and isinstance(values := yaml.safe_load(text), dict)
    if set(values) & set(Config.model_fields)
]


@pytest.mark.parametrize("values", CONFIGURATIONS)
def test_configurations_have_keys_that_there_are(values: dict[str, object]) -> None:
    """In the place of the demo's blocks of these names. Folders need not be there, nor what other blocks name."""
    demo = yaml.safe_load((ROOT / "config.yaml").read_text())
    if "sources" not in values and "pools" not in values:
        values = {**demo, **values}
    try:
        Config.model_validate({"sources": demo["sources"], "pools": demo["pools"], **values})
    except ValidationError as error:
        pytest.fail(str(error))


def test_the_documents_name_each_kind_of_command() -> None:
    """Or these tests would look at nothing."""
    for program, least in (("simhand", 3), ("snakemake", 20), ("make", 10), ("python", 5)):
        assert len(of(program)) >= least, program
    assert len(CONFIGURATIONS) > 10
