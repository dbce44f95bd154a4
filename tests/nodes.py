"""Nodes of a run that are processes here, each told what Slurm's srun tells it."""

from __future__ import annotations

import socket


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def told_by_srun(rank: int, nodes: int = 2, **others: str) -> dict[str, str]:
    """The variables of one of several nodes of job 1234567."""
    return {
        "SLURM_JOB_ID": "1234567",
        "SLURM_STEP_NUM_NODES": str(nodes),
        "SLURM_STEP_NUM_TASKS": str(nodes),
        "SLURM_NODEID": str(rank),
        "SLURM_LAUNCH_NODE_IPADDR": "127.0.0.1",
        **others,
    }
