"""The weighted loss in memory: far below the square of the batch times the joints."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import re, sys
from pathlib import Path
import torch
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.weighted_nt_xent import weighted_nt_xent
from simhand.pretraining.weights import adaptive_weights

def peak_mb():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

def loss(pairs):
    unit = torch.nn.functional.normalize(torch.randn(2, pairs, 128), dim=-1).requires_grad_()
    weights = adaptive_weights(*torch.rand(2, pairs, 21, 2) * 128, settings)
    weighted_nt_xent(*unit, *weights, 0.5).backward()

settings = PretrainingSettings(method="simhand", pool="any", weighting=sys.argv[1], behaviour=sys.argv[2])
loss(4)
before = peak_mb()
loss(3000)
print(peak_mb() - before)
"""


@pytest.mark.parametrize("weighting", ["linear", "sigmoid"])
@pytest.mark.parametrize("behaviour", ["paper", "official"])
def test_one_matrix_of_all_pairs_and_little_more(weighting: str, behaviour: str) -> None:
    command = [sys.executable, "-c", CODE, weighting, behaviour]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    matrix_mb = 6000**2 * 4 / 2**20  # 137; 8,192 pairs have 1,024
    assert matrix_mb < float(found) < 1.5 * matrix_mb
