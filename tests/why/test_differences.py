from __future__ import annotations

from typing import Any

import pytest

from simhand.why.differences import differences, paired


@pytest.mark.parametrize(
    ("before", "now", "lines"),
    [
        ({"fps": 1.0, "jpeg": 90}, {"fps": 2.0, "jpeg": 90}, ["fps: 1.0 -> 2.0"]),
        ({"a": {"b": 1, "c": None}}, {"a": {"b": 1, "c": "x"}}, ["a.c: None -> x"]),
        ({"a": 1}, {"b": 1}, ["b added", "a removed"]),
        ([("x.mp4", 3, "ab"), ("y.mp4", 4, "cd")], [("y.mp4", 5, "ef"), ("z.mp4", 6, "gh")],
         ["y.mp4 changed", "z.mp4 added", "x.mp4 removed"]),
        ([{"name": "demo", "size": 5}], [{"name": "demo", "size": 9}], ["demo.size: 5 -> 9"]),
        ([("demo", "none"), ("demo", "peclr")], [("demo", "none")], ["('demo', 'peclr') removed"]),
        ({"ranks": [1, 3]}, {"ranks": [1]}, ["ranks: 3 removed"]),
        ({"path": "a" * 70}, {"path": "b"}, [f"path: {'a' * 60}... -> b"]),
        ({"same": 1}, {"same": 1}, []),
    ],
)  # fmt: skip
def test_what_differs_is_told_key_by_key(before: Any, now: Any, lines: list[str]) -> None:
    assert list(differences(before, now)) == lines


def test_old_values_without_names_are_paired_with_the_new_ones_that_they_resemble() -> None:
    settings = {"epochs": 2, "temperature": 0.4}
    now = {"settings": '{"epochs":2,"temperature":0.4}', "code": {"a.py": "11"}, "folder": "/data/two", "cases": 3}
    before = ['{"a.py": "22"}', "'/data/one'", repr('{"epochs":1,"temperature":0.4}'), "4"]
    assert list(paired(before, now)) == [
        ("settings", {"epochs": 1, "temperature": 0.4}, settings),
        ("code", {"a.py": "22"}, {"a.py": "11"}),
        ("folder", "/data/one", "/data/two"),
        ("cases", 4, 3),
    ]


def test_a_new_value_without_an_old_one_of_its_kind_is_alone() -> None:
    assert list(paired(["'0f1e2d'"], {"code": {"a.py": "11"}})) == [("code", None, {"a.py": "11"})]
