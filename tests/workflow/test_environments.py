"""Each environment in envs/ holds what its rules import, in the versions of the lock, which pyproject.toml allows."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from simhand.fingerprint import module_path
from tests.conftest import ROOT
from tests.workflow.test_lint import RULES

ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BEHIND_TORCH = {"torch.utils.tensorboard": "tensorboard"}  # what a module of torch imports in turn


def locked() -> dict[str, str]:
    """The versions of the lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))


def pinned(environment: Path) -> dict[str, str]:
    """The packages of an environment and their versions."""
    *_, pip = yaml.safe_load(environment.read_text())["dependencies"]
    return dict(requirement.split("==") for requirement in pip["pip"])


def entry(body: str) -> Path:
    """The file that a rule runs."""
    script = re.search(r'^script:\n +"\.\./(\S+)"', body, re.MULTILINE)
    if script:
        return ROOT / script[1]
    module = re.search(r"python -m ([\w.]+)", body)
    assert module, body
    return module_path(f"{module[1]}.__main__")


@cache
def imported(path: Path) -> set[str]:
    """The modules that a file imports, at its top or inside functions; of `from a import b` both a and a.b."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def reached(start: Path) -> set[Path]:
    """A file and all of simhand that it imports, directly or not, with the packages that hold them."""
    packages = start.relative_to(ROOT).parent.parts
    found, waiting = set(), [start, *sources(".".join(packages))]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [source for name in imported(path) for source in sources(name)]
    return found


def sources(name: str) -> Iterator[Path]:
    """The files that an import of a.b.c runs: of a, a.b and a.b.c, where they are simhand's; c may be no module."""
    parts = name.split(".")
    for last in range(1, len(parts) + 1 if parts[0] == "simhand" else 1):
        try:
            yield module_path(".".join(parts[:last]))
        except ModuleNotFoundError:
            assert last == len(parts), name


@cache
def distributions() -> dict[str, str]:
    """By the name that is imported, what is installed for it."""
    return {name: re.sub(r"[-_.]+", "-", found[0]).lower() for name, found in packages_distributions().items()}


def needed(start: Path) -> dict[str, str]:
    """The packages that a rule needs, each with a file that imports it."""
    found = {}
    for path in reached(start):
        for name in imported(path):
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names | {"simhand"}:
                found[distributions()[top]] = path.name
            if name in BEHIND_TORCH:
                found[BEHIND_TORCH[name]] = path.name
    return found


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_an_environment_has_the_versions_of_the_lock(path: Path) -> None:
    versions = pinned(path)
    assert versions == {name: locked()[name] for name in versions}


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_an_environment_has_a_python_that_simhand_supports(path: Path) -> None:
    python = re.findall(r"^  - python =(.*)$", path.read_text(), re.MULTILINE)
    assert len(python) == 1
    assert python[0] in SpecifierSet(PROJECT["requires-python"])


def test_the_lock_holds_what_pyproject_asks_for() -> None:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    asked = [Requirement(text) for group in groups for text in group]
    assert {"torch", "snakemake", "pytest"} <= {each.name for each in asked}
    found = {str(each): locked().get(canonicalize_name(each.name)) for each in asked}
    wrong = {text: got for text, got in found.items() if got is None or got not in Requirement(text).specifier}
    assert wrong == {}


@pytest.mark.parametrize(("name", "body"), RULES, ids=[name for name, _ in RULES])
def test_the_environment_of_a_rule_holds_all_that_it_imports(name: str, body: str) -> None:
    (environment,) = re.findall(r'^conda:\n +"\.\./(envs/\S+)"', body, re.MULTILINE)
    packages = pinned(ROOT / environment)
    lacking = {package: file for package, file in needed(entry(body)).items() if package not in packages}
    assert lacking == {}, f"{environment} lacks them for {name}"


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_an_environment_holds_nothing_that_none_of_its_rules_imports(path: Path) -> None:
    bodies = [body for _, body in RULES if f"../envs/{path.name}" in body]
    assert bodies
    used = set().union(*(needed(entry(body)) for body in bodies))
    assert set(pinned(path)) - used == set()
