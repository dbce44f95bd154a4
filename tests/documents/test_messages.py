"""The messages that docs/troubleshooting.md explains are those that are printed."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.documents.pages import blocks

MESSAGES = [text.strip() for language, text in blocks(ROOT / "docs" / "troubleshooting.md") if language == "text"]

# Of other programs: the package or file that holds the text.
FOREIGN = {
    "Directory cannot be locked": "snakemake/exceptions.py",
    "file is not valid JSON or YAML": "snakemake/common/configfile.py",
    "The files below seem to be incomplete": "snakemake/exceptions.py",
    "CUDA out of memory": "torch/lib/libc10_cuda.so",
}
SLURM = ("Invalid partition", "Requested time limit", "Requested node", "Invalid account")
SLURM_LIBRARIES = sorted(Path("/usr/lib").glob("*/slurm*/libslurmfull.so"))
OF_THE_SYSTEM = {
    "libGL.so.1: cannot open shared object file": "the dynamic loader's",
    "No space left on device": "the text of ENOSPC",
    "FileNotFoundError: [Errno 2] No such file or directory: '": "the text of ENOENT",
    "yaml'": "the end of a file's name",
}


def texts(path: Path) -> Iterator[str]:
    """The constant texts of a file, each as it is printed; of an f-string its constant parts."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.fixture(scope="module")
def printed() -> str:
    """All that simhand can print: constants of the code, and the Makefile."""
    code = [text for path in sorted((ROOT / "simhand").rglob("*.py")) for text in texts(path)]
    return "\n".join([*code, (ROOT / "Makefile").read_text()])


def package_file(place: str) -> Path:
    package, _, inside = place.partition("/")
    spec = importlib.util.find_spec(package)
    assert spec
    assert spec.origin
    return Path(spec.origin).parent / inside


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.splitlines()[0][:60])
def test_a_message_is_one_that_is_printed(message: str, printed: str) -> None:
    first, *details = message.splitlines()
    for line in [first, *(re.sub(r"^ +(?:where|expected|got|hint): +", "", detail) for detail in details)]:
        for part in filter(None, (part.strip(" :;") for part in line.split("..."))):
            assert part in printed or is_foreign(part), part


def is_foreign(text: str) -> bool:
    """Whether a program beside simhand prints it; Slurm's where Slurm is installed, else its texts are believed."""
    if text.startswith(SLURM):
        return not SLURM_LIBRARIES or text.encode() in SLURM_LIBRARIES[0].read_bytes()
    found = [place for start, place in FOREIGN.items() if start in text]
    if found:
        return text.removeprefix("Error: ").encode() in package_file(found[0]).read_bytes()
    return text in OF_THE_SYSTEM


def test_there_are_messages_to_look_for(printed: str) -> None:
    assert len(MESSAGES) > 30
    assert "this is no message of simhand's" not in printed
