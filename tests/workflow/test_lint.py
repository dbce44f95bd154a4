"""Snakemake's own findings about the rules, the shape of each rule, and the pinned environments."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.workflow.checkout import Checkout
from tests.workflow.test_plan import checkout  # noqa: F401

DIRECTIVES = ["input", "output", "log", "benchmark", "params", "threads", "resources", "conda", "script", "shell"]
RULES = [
    (name, textwrap.dedent(body))
    for path in sorted((ROOT / "rules").glob("*.smk"))
    for _, name, body in re.findall(r"^( *)rule (\w+):\n((?:\1 .*\n|\n)*)", path.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize("detector", ["mediapipe", "hundred_doh"])
def test_snakemake_finds_nothing_to_mend(detector: str, checkout: Checkout) -> None:  # noqa: F811
    config = checkout.config()
    if detector == "hundred_doh":
        config["detection"] = {"detector": detector, "weights": "weights.pth"}
    checkout.write_config(config)
    (checkout.folder / "weights.pth").touch()
    finished = checkout.snakemake("--lint", check=False)
    findings = set(re.findall(r"^    \* (.*?):$", finished.stdout, re.MULTILINE))
    assert findings - EXPLAINED.keys() == set(), finished.stdout


# Snakemake's finding, and why it stays.
EXPLAINED: dict[str, str] = {}


@pytest.mark.parametrize(("name", "body"), RULES, ids=[name for name, _ in RULES])
def test_a_rule_has_the_agreed_directives_in_the_agreed_order(name: str, body: str) -> None:
    assert body.startswith('"""'), f"{name} has no docstring"
    found = re.findall(r"^(\w+):", body, re.MULTILINE)
    assert found == [directive for directive in DIRECTIVES if directive in found]
    assert {"output", "log", "benchmark", "resources", "conda"} <= set(found)
    assert "lambda" not in body


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_environment_has_the_versions_of_the_lock(path: Path) -> None:
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    *_, pip = yaml.safe_load(path.read_text())["dependencies"]
    pinned = dict(requirement.split("==") for requirement in pip["pip"])
    assert pinned == {name: locked[name] for name in pinned}
