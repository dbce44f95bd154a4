"""THIRD_PARTY.md lists every direct dependency, with the licence that the installed package names."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from av._core import library_meta
from packaging.requirements import Requirement

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PAGE = (ROOT / "THIRD_PARTY.md").read_text()
PACKAGES = PAGE.partition("## Packages")[2].partition("Some wheels")[0]
ROWS = dict(re.findall(r"^\| `([\w.-]+)` \| ([^|]+?) \|", PACKAGES, re.MULTILINE))
FILE_ONLY = "its file LICENSE: "


def direct_dependencies() -> list[str]:
    extras = PROJECT["project"]["optional-dependencies"].values()
    groups = [PROJECT["build-system"]["requires"], PROJECT["project"]["dependencies"], *extras]
    return sorted({Requirement(text).name for group in groups for text in group})


def named_licence(package: Distribution) -> str:
    """In the words of its metadata: an SPDX expression, a short text, or a classifier; empty where it names none."""
    metadata = package.metadata
    text = metadata.get("License-Expression") or metadata.get("License") or ""
    if text and "\n" not in text and len(text) < 200:
        return str(text)
    classifiers = [
        line.split(" :: ")[-1] for line in metadata.get_all("Classifier") or [] if line.startswith("License")
    ]
    return ", ".join(classifiers)


@pytest.mark.parametrize("name", direct_dependencies())
def test_its_licence_is_the_one_that_the_package_names(name: str) -> None:
    package = distribution(name)
    said = named_licence(package)
    if said:
        assert ROWS[name] == said
        return
    assert ROWS[name].startswith(FILE_ONLY)
    licences = [file for file in package.files or [] if file.name == "LICENSE" and "dist-info" in str(file)]
    text = " ".join(licences[0].read_text().split())
    assert ROWS[name].removeprefix(FILE_ONLY) in text


def test_no_other_package_is_listed() -> None:
    assert set(ROWS) == set(direct_dependencies())


def test_the_project_itself_is_under_apache_2() -> None:
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert PROJECT["project"]["license-files"] == ["LICENSE"]
    text = " ".join((ROOT / "LICENSE").read_text().split())
    assert text.startswith("Apache License Version 2.0, January 2004")
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text) > 9000


def test_what_is_said_of_the_libraries_in_wheels_is_so() -> None:
    assert {library["license"] for library in library_meta.values()} == {"LGPL version 3 or later"}
    carried = text_of("opencv-contrib-python", "LICENSE-3RD-PARTY")
    assert "FFmpeg is redistributed within all opencv-python packages" in carried
    assert "Qt 5 is redistributed" in carried
    decoder = next(file for file in distribution("decord").files or [] if file.name.startswith("libavcodec"))
    configured = Path(str(decoder.locate())).read_bytes()
    assert b"--enable-gpl" in configured
    assert b"--enable-nonfree" in configured


def text_of(package: str, name: str) -> str:
    file = next(file for file in distribution(package).files or [] if file.name.startswith(name))
    return file.read_text()


def test_each_kind_of_data_has_its_terms() -> None:
    for name in (
        "FreiHAND",
        "DexYCB",
        "AssemblyHands",
        "Ego4D",
        "100DOH",
        "Hand100M",
        "MakeHuman",
        "MediaPipe",
        "ImageNet",
    ):
        assert re.search(rf"^\| [^|]*{name}[^|]* \| \S", PAGE, re.MULTILINE), name
