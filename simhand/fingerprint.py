"""What code a stage runs, as one short value: it changes when the code does, not when its looks do.

Snakemake compares this value (a rule's `params: code=`), so an edit reruns the stages that it touches and no others.
Syntax trees are compared, without docstrings: a comment, a docstring or a reformat changes nothing.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent.parent
# They say how a run goes, not what comes out of it.
_WITHOUT_RESULTS = frozenset(
    {
        "simhand.errors",
        "simhand.logs",
        "simhand.progress",
        "simhand.fingerprint",
        "simhand.pretraining.journal",
        "simhand.pretraining.tensorboard_log",
    }
)


def code_fingerprint(entry: Path) -> str:
    """The fingerprint of a Python file and of all modules of simhand that it imports, directly or not.

    Nothing is imported for it: only source files are read.

    Args:
        entry: where a stage starts: its script, or the file of a module.

    Raises:
        ModuleNotFoundError: the file imports a module that simhand does not have.
    """
    digest = hashlib.blake2b(_tree_text(entry).encode(), digest_size=8)
    for module in sorted(_reachable(entry)):
        digest.update(f"{module}\n{_tree_text(module_path(module))}\n".encode())
    return digest.hexdigest()


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
    return ast.dump(_tree(path))


def _imports(path: Path) -> Iterator[str]:
    """Modules of simhand that a file imports, at its top or inside functions."""
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
