"""The nodes that share a training run, and where they meet: by what Slurm's `srun` tells each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simhand.errors import ConfigError

_FIRST_PORT, _PORTS = 20_000, 10_000  # below those that Linux gives away by itself, from 32768 on


@dataclass(frozen=True)
class Node:
    """One of several nodes that train together."""

    rank: int  # of this one
    address: str  # where the first one listens
    port: int


def check_nodes(processes: int, nodes: int) -> None:
    """Every node of a run has as many of its processes.

    Raises:
        ValueError: they cannot be shared out alike.
    """
    if processes % nodes:
        raise ValueError(f"processes ({processes}) must be a multiple of nodes ({nodes}), as many on each")


def slurm_node(nodes: int, environment: Mapping[str, str]) -> Node:
    """This node's place in a run, started by `srun` once on each node.

    The first node is taken to be the one on which srun was called, as in a batch job; its port follows from the job's
    number. MASTER_ADDR and MASTER_PORT, as torchrun knows them, come before both.

    Args:
        nodes: of the run's settings.
        environment: variables of this process.

    Raises:
        ConfigError: srun did not start it, or on another number of nodes, or more than once a node.
    """
    started = _number("SLURM_STEP_NUM_NODES", nodes, environment)
    tasks = _number("SLURM_STEP_NUM_TASKS", nodes, environment)
    if (started, tasks) != (nodes, nodes):
        what = "started on another number of nodes than the run asks for, or more than once a node"
        raise _wrong_start(what, nodes, "a start on each", f"{started} nodes, {tasks} starts")
    address = environment.get("MASTER_ADDR") or _text("SLURM_LAUNCH_NODE_IPADDR", nodes, environment)
    if environment.get("MASTER_PORT"):
        port = _number("MASTER_PORT", nodes, environment)
    else:
        port = _FIRST_PORT + _number("SLURM_JOB_ID", nodes, environment) % _PORTS
    return Node(_number("SLURM_NODEID", nodes, environment), address, port)


def _number(name: str, nodes: int, environment: Mapping[str, str]) -> int:
    text = _text(name, nodes, environment)
    if not text.isdecimal():
        raise ConfigError("no number in a variable of the environment", where=name, got=text, hint=_how(nodes))
    return int(text)


def _text(name: str, nodes: int, environment: Mapping[str, str]) -> str:
    if not environment.get(name):
        what = "several nodes, and srun has not started this process"
        raise _wrong_start(what, nodes, "and the variables that srun sets on each", f"no {name} in the environment")
    return environment[name]


def _wrong_start(what: str, nodes: int, on_each: str, got: str) -> ConfigError:
    return ConfigError(what, where="nodes", expected=f"{nodes} nodes, {on_each}", got=got, hint=_how(nodes))


def _how(nodes: int) -> str:
    return (
        f"in a job of {nodes} nodes: srun --nodes={nodes} --ntasks-per-node=1 --kill-on-bad-exit=1 python -m ...; "
        "without Slurm: torchrun on each node"
    )
