"""What Snakemake's catalogue of workflows asks of a repository that it lists (its page "Adding workflows").

Linting and formatting, which it shows, are tested in tests/workflow/test_lint.py and `make lint`.
"""

from __future__ import annotations

import yaml

from tests.conftest import ROOT


def test_the_repository_is_one_that_the_catalogue_finds() -> None:
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    assert (ROOT / "Snakefile").is_file()
    assert not (ROOT / "workflow").exists(), "with a folder of that name the catalogue looks for the Snakefile there"
    assert [path for path in (ROOT / "rules").iterdir() if path.suffix == ".smk"]


def test_what_is_said_of_its_use_is_of_the_catalogue_form() -> None:
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) <= {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["report"] is True  # tests/workflow/test_report.py makes one
    deployment = usage["software-stack-deployment"]
    assert set(deployment) <= {"conda", "apptainer", "apptainer+conda", "report"}
    assert all(isinstance(value, bool) for value in deployment.values())


def test_it_does_not_pretend_to_the_standard_layout() -> None:
    """For its second list, `workflow/Snakefile` and `config/README.md` must be there; half of that would mislead it."""
    standard = [ROOT / "workflow" / "Snakefile", ROOT / "config" / "README.md"]
    assert [path.exists() for path in standard] == [False, False]
