"""Snakemake's own findings about the rules, and the shape of each rule."""

from __future__ import annotations

import re
import textwrap

import pytest

from tests.conftest import ROOT
from tests.workflow.checkout import Checkout
from tests.workflow.test_plan import checkout  # noqa: F401

DIRECTIVES = [
    "input", "output", "log", "benchmark", "params", "threads", "resources", "conda", "retries", "localrule", "script",
    "shell",
]  # fmt: skip
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
    assert {"output", "log", "benchmark", "conda"} <= set(found)
    assert ("resources" in found) != ("localrule" in found), "what runs here asks for nothing"
    assert "lambda" not in body
