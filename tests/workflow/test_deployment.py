"""Jobs in environments of their own, made by conda or found in an image of Apptainer.

Neither can be had in the tests: two small programs stand in for them, which answer what Snakemake asks. An environment
is then a venv that sees the packages of the tests, but not simhand.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.workflow.checkout import Checkout
from tests.workflow.test_plan import checkout  # noqa: F401

NEW_ENVIRONMENT = f"""#!{sys.executable}
import json, pathlib, sys, sysconfig, venv

def make(prefix):
    venv.create(prefix, symlinks=True)
    packages = pathlib.Path(sysconfig.get_path("purelib", vars={{"base": prefix, "platbase": prefix}}))
    (packages / "packages.pth").write_text(sysconfig.get_path("purelib"))
    started = f"import sys; open({{prefix + '/started'!r}}, 'a').write(' '.join(sys.orig_argv) + chr(10))"
    (packages / "sitecustomize.py").write_text(started)
"""
CONDA = f"""{NEW_ENVIRONMENT}
asked = sys.argv[1:]
if asked[0] == "--version":
    print("conda 25.1.1")
elif asked[0] == "info":
    print(json.dumps({{"conda_prefix": str(pathlib.Path(__file__).parent.parent), "platform": "linux-64"}}))
elif asked[0] == "config":
    print(json.dumps({{"get": {{"channel_priority": "strict"}}}}))
elif asked[:2] == ["env", "create"]:
    make(asked[asked.index("--prefix") + 1])
elif asked[0] == "clean":
    pass  # nothing was downloaded
else:
    sys.exit(f"asked of conda: {{asked}}")
"""
ACTIVATE = 'export PATH="$1/bin:$PATH"\n'
APPTAINER = f"""{NEW_ENVIRONMENT}
import os
if sys.argv[1] == "--version":
    print("apptainer version 1.3.4")
elif sys.argv[1] == "exec":
    *options, image, shell, how, command = sys.argv[2:]
    if not pathlib.Path(image).exists():
        make(image)
    pathlib.Path(image, "options").write_text(" ".join(options))
    path = f"{{image}}/bin:/usr/bin:/bin"  # and not that of the shell outside
    os.execve(f"/bin/{{shell}}", [shell, how, command], os.environ | {{"PATH": path}})
else:
    sys.exit(f"asked of apptainer: {{sys.argv}}")
"""


@dataclass(frozen=True)
class Site:
    """Where conda and Apptainer are on the path, and snakemake is called in another folder than the checkout."""

    checkout: Checkout
    folder: Path

    def snakemake(self, *arguments: str, image: str = "") -> subprocess.CompletedProcess[str]:
        programs = Path(sys.executable).parent
        path = f"{self.folder / 'base' / 'bin'}:{programs}:{os.environ['PATH']}"
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [programs / "snakemake", "--cores", "1", "-s", self.checkout.folder / "Snakefile", *arguments],
            cwd=self.folder,
            env=environment | {"PATH": path} | ({"SIMHAND_CONTAINER": image} if image else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def environment(self, name: str) -> Path:
        """What was made of a file in envs/."""
        content = (ROOT / "envs" / name).read_text()
        kept = (self.folder / ".snakemake" / "conda").glob("*.yaml")
        (made,) = (path for path in kept if path.read_text() == content)
        return made.with_suffix("")


@pytest.fixture
def site(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Site:  # noqa: F811
    folder = tmp_path_factory.mktemp("site")
    programs = folder / "base" / "bin"
    programs.mkdir(parents=True)
    for name, text in {"conda": CONDA, "activate": ACTIVATE, "apptainer": APPTAINER}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (folder / "demo").symlink_to(checkout.folder / "demo")
    config = checkout.config()
    config["sources"]["demo"]["shards"] = 1
    Checkout(folder).write_config(config)
    return Site(checkout, folder)


LIST = "results/videos/demo/0of1.tsv"


def test_jobs_in_environments_of_conda_import_simhand_from_the_checkout(site: Site) -> None:
    listed = site.snakemake(LIST, "--sdm", "conda")
    assert listed.returncode == 0, listed.stdout
    assert "a.mp4" in (site.folder / LIST).read_text()
    started = (site.environment("cpu.yaml") / "started").read_text()
    assert "list_videos.py" in started

    model = "results/finetuning/demo/none/100/0/model.pt"
    assert site.snakemake(model, "--sdm", "conda").returncode != 0
    assert "-m simhand.finetuning" in (site.environment("gpu.yaml") / "started").read_text()
    said = (site.folder / "results/logs/finetune/demo/none/100/0.log").read_text()
    assert "LabelledSetError: cannot read labels" in said  # they are empty; simhand it found


def test_jobs_in_an_image_import_simhand_from_the_checkout(site: Site, tmp_path: Path) -> None:
    """As slurm/config.yaml has it once its lines on containers are uncommented."""
    image = tmp_path / "image.sif"
    profile = (ROOT / "slurm" / "config.yaml").read_text()
    profile, uncommented = re.subn(
        r"^# (?=software-deployment-method:|apptainer-args:)", "", profile, flags=re.MULTILINE
    )
    assert uncommented == 2
    (site.folder / "slurm").mkdir()
    (site.folder / "slurm" / "config.yaml").write_text(profile)
    listed = site.snakemake("--profile", "slurm", "--executor", "local", LIST, image=str(image))
    assert listed.returncode == 0, listed.stdout
    assert "a.mp4" in (site.folder / LIST).read_text()
    assert "list_videos.py" in (image / "started").read_text()
    assert "--nv --bind /data" in (image / "options").read_text()


def test_containers_without_an_image_are_told_of_when_planning(site: Site) -> None:
    planned = site.snakemake("-n", LIST, "--sdm", "apptainer")
    assert planned.returncode == 1
    assert "export SIMHAND_CONTAINER=/path/to/image.sif" in planned.stdout
    assert "Traceback" not in planned.stdout
