"""Whether the installed packages are those that pyproject.toml asks for."""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

import simhand
from simhand.doctor.finding import Finding, ok, problem, warning

_EXTRAS = {"": "training and evaluation", "data": "the stages from videos to neighbours", "workflow": "planning"}


def check_versions() -> Iterator[Finding]:
    """Python, and the packages of each part of simhand that a machine may have or lack."""
    wanted_python, wanted = _requirements()
    python = platform.python_version()
    if not Requirement(f"python{wanted_python}").specifier.contains(python):
        yield problem(f"Python {python}, where {wanted_python} is wanted", "make an environment with such a Python")
    else:
        yield ok(f"Python {python}")
    for extra, meant_for in _EXTRAS.items():
        yield _of_part(extra, meant_for, wanted[extra])


def _of_part(extra: str, meant_for: str, requirements: list[Requirement]) -> Finding:
    name = f"simhand[{extra}]" if extra else "simhand"
    installed = {one: _version(one.name) for one in requirements}
    missing = [one.name for one, version in installed.items() if version is None]
    wrong = [
        f"{one.name} {version}, not {one.specifier}"
        for one, version in installed.items()
        if version is not None and not one.specifier.contains(version, prereleases=True)
    ]
    advice = f"pip install '{name}', or `make install` in a checkout; a machine that does nothing else can do without"
    if missing or wrong:
        grade = warning if extra and not wrong else problem
        return grade(f"for {meant_for}: {'; '.join([*wrong, *(f'no {each}' for each in missing)])}", advice)
    return ok(f"{len(requirements)} packages for {meant_for}")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _requirements() -> tuple[str, dict[str, list[Requirement]]]:
    """What Python is wanted, and the packages of each extra ('' for those always wanted)."""
    checkout = Path(simhand.__file__).parent.parent / "pyproject.toml"
    if checkout.is_file():
        project = tomllib.loads(checkout.read_text())["project"]
        texts = {"": project["dependencies"], **project["optional-dependencies"]}
        return project["requires-python"], {extra: [Requirement(text) for text in texts[extra]] for extra in _EXTRAS}
    installed = metadata.metadata("simhand")
    all_wanted = [Requirement(text) for text in metadata.requires("simhand") or []]
    return str(installed["Requires-Python"]), {
        extra: [one for one in all_wanted if _is_of(one, extra)] for extra in _EXTRAS
    }


def _is_of(requirement: Requirement, extra: str) -> bool:
    if requirement.marker is None:
        return not extra
    return bool(extra) and requirement.marker.evaluate({"extra": extra})
