"""What code a stage runs, as short values: they change when the code does, not when its looks do.

Snakemake compares them (a rule's `params: code=`), so an edit reruns the stages that it touches and no others, and
`simhand why` can name the edited file. Syntax trees are compared, without docstrings: a comment, a docstring or a
reformat changes nothing, and neither does another version of Python.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
# They say how a run goes, not what comes out of it.
_WITHOUT_RESULTS = frozenset(
    {
        "simhand.errors",
        "simhand.logs",
        "simhand.progress",
        "simhand.fingerprint",
        "simhand.locks",
        "simhand.pretraining.journal",
        "simhand.pretraining.launch",
        "simhand.pretraining.nodes",
        "simhand.pretraining.tensorboard_log",
    }
)


def code_fingerprint(entry: Path) -> str:
    """One fingerprint of all that `file_fingerprints` tells of a stage.

    Raises:
        ModuleNotFoundError: the file imports a module that simhand does not have.
    """
    return _digest(repr(file_fingerprints(entry)), size=8)


def file_fingerprints(entry: Path) -> dict[str, str]:
    """The fingerprints of a Python file and of all modules of simhand that it imports, directly or not.

    Nothing is imported for it: only source files are read.

    Args:
        entry: where a stage starts: its script, or the file of a module.

    Returns:
        by file, as seen from the folder above simhand/, in a fixed order.

    Raises:
        ModuleNotFoundError: the file imports a module that simhand does not have.
    """
    paths = [entry.resolve(), *map(module_path, sorted(_reachable(entry)))]
    return {_name(path): _digest(_tree_text(path), size=4) for path in paths}


def _digest(text: str, size: int) -> str:
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()


def _name(path: Path) -> str:
    return path.relative_to(_ROOT).as_posix() if path.is_relative_to(_ROOT) else path.name


def module_path(module: str) -> Path:
    """The source file of a module of simhand, given its dotted name.

    Raises:
        ModuleNotFoundError: there is no such module.
    """
    base = _ROOT.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    raise ModuleNotFoundError(f"no module {module} in {_ROOT}", name=module)


def _reachable(entry: Path) -> set[str]:
    found: set[str] = set()
    waiting = list(_imports(entry))
    while waiting:
        module = waiting.pop()
        if module not in found and module not in _WITHOUT_RESULTS:
            found.add(module)
            waiting.extend(_imports(module_path(module)))
    return found


@cache
def _tree(path: Path) -> ast.Module:
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_docstring(statement)]
        elif isinstance(node, ast.Call):  # a setting's description is documentation too
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
    return tree


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


@cache
def _tree_text(path: Path) -> str:
    return str(_plain(_tree(path)))


def _plain(node: Any) -> Any:
    """A tree as lists and texts, the same from each version of Python.

    `ast.dump` and `ast.unparse` are not: newer trees have more fields, empty where nothing uses them, and some versions
    keep empty pieces of f-strings.
    """
    if isinstance(node, ast.AST):
        parts = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
        if isinstance(node, ast.JoinedStr):
            parts = [("values", [part for part in node.values if getattr(part, "value", None) != ""])]
        return [type(node).__name__, *((name, _plain(value)) for name, value in parts)]
    if isinstance(node, list):
        return [_plain(part) for part in node]
    return repr(node)


@cache
def _imports(path: Path) -> frozenset[str]:
    """Modules of simhand that a file imports, at its top or inside functions."""
    return frozenset(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "simhand")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "simhand":
            for alias in node.names:
                yield _module_of(node.module, alias.name)


def _module_of(package: str, name: str) -> str:
    """`from package import name`: the module meant, which is package.name where such a module exists."""
    try:
        module_path(f"{package}.{name}")
    except ModuleNotFoundError:
        return package
    return f"{package}.{name}"
