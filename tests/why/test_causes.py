from __future__ import annotations

from typing import Any

import pytest

from simhand.why.causes import Cause, causes
from simhand.why.job import Job

TABLE = "results/report/table.csv"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"params_before": ("{'fps': 1}",), "params_now": {"settings": {"fps": 2}}},
         [("settings changed", "fps: 1 -> 2")]),
        ({"params_before": ("{'seed': 0}",), "params_now": {"selection": {"seed": 1}}},
         [("settings changed", "selection.seed: 0 -> 1")]),
        ({"params_before": ("{'a.py': '1', 'b.py': '2', 'c.py': '3'}",),
          "params_now": {"code": {"a.py": "1", "b.py": "9", "d.py": "4"}}},
         [("code changed", "b.py"), ("code changed", "c.py (is no longer used)"),
          ("code changed", "d.py (is new to this stage)")]),
        ({"params_before": ("'0f1e'",), "params_now": {"code": {"a.py": "1"}}},
         [("code changed", "which files is not known, as older versions of simhand did not keep it")]),
        ({"params_before": ("[('a.mp4', 1)]",), "params_now": {"videos": [("a.mp4", 2)]}},
         [("videos changed", "a.mp4 changed")]),
        ({"params_before": ("3",)}, [("rule changed", "evaluate has other params")]),
        ({"updated": ("labels.json",)}, [("input changed", "labels.json")]),
        ({"inputs_before": ("a",), "inputs_now": ("b",)},
         [("input files changed", "without a"), ("input files changed", "with b")]),
        ({"missing": (TABLE,)}, [("missing (deleted)", TABLE)]),
        ({"missing": (TABLE,), "params_before": ("1",), "params_now": {"size": 2}}, [("missing (deleted)", TABLE)]),
        ({"missing": (TABLE,), "is_recorded": False}, [("never made", TABLE)]),
        ({"missing": (TABLE,), "log": "a.log"},
         [("missing (deleted, or its job failed or was stopped)", f"{TABLE} (log: a.log)")]),
        ({"missing": (TABLE,), "is_recorded": False, "after": frozenset({"finetune"})}, []),
        ({"is_interrupted": True}, [("interrupted while it was made", "evaluate demo")]),
        ({"is_software_changed": True},
         [("environment changed", "the one of rule evaluate, or the way of deploying it")]),
        ({"in_short": "Forced execution"}, [("another reason", "Forced execution")]),
        ({"after": frozenset({"finetune"})}, []),
    ],
)  # fmt: skip
def test_the_causes_of_a_jobs_own(facts: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert causes(Job("evaluate", ("demo",), **facts)) == [Cause(*cause) for cause in expected]
