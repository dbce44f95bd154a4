"""Prints, as JSON, what jobs ask for: Snakemake itself is asked.

    python asked.py < jobs.json    in a checkout

reads a list of [rule, wildcards, attempt].
"""

import json
import sys
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.iocontainers import Wildcards
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings

with SnakemakeApi(OutputSettings(quiet={"all"})) as api:
    planned = api.workflow(
        resource_settings=ResourceSettings(cores=1000),
        config_settings=ConfigSettings(),
        snakefile=Path("Snakefile").resolve(),
    )
    workflow = planned._workflow  # has read the Snakefile
    answers = []
    for name, wildcards, attempt in json.load(sys.stdin):
        rule = workflow.get_rule(name)
        inputs = rule.expand_input(Wildcards(fromdict=wildcards))[0]
        asked = rule.expand_resources(wildcards, inputs, attempt)
        answers.append(dict(asked.items()))
    print(json.dumps(answers))
