"""Starting the processes of a training run, and telling them to end: what all command lines of training share."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from threading import Event

from torch.distributed import DistError
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch
from tqdm.contrib.logging import logging_redirect_tqdm

from simhand.errors import SimhandError, TrainingError
from simhand.pretraining.nodes import Node, slurm_node
from simhand.videos.lifetime import end_with_parent

_STARTER = "SIMHAND_STARTER"  # tells the processes of a run which one started them
_PATIENCE_S = 300  # until all nodes have met


def launch(module: str, processes: int, arguments: list[str], train: Callable[[Event], bool], *, nodes: int = 1) -> int:
    """Trains in this process, or starts several that do, unless torchrun has started this one already.

    Args:
        module: whose `python -m` trains.
        processes: how many the run asks for, over all nodes.
        arguments: of the command line.
        train: trains; stops soon after its event is set, and tells whether the run is finished.
        nodes: how many share the processes; on each of them `srun` has called this once.

    Returns:
        0: finished; 1: failed; 128 + the signal's number: interrupted, and to be started again.
    """
    if processes == 1 or "WORLD_SIZE" in os.environ:
        return _train_here(train)
    try:
        node = slurm_node(nodes, os.environ) if nodes > 1 else None
    except SimhandError as error:
        return _failed(error)
    return _start(module, processes, processes // nodes, node, arguments)


def _start(module: str, total: int, here: int, node: Node | None, arguments: list[str]) -> int:
    """Starts this node's processes and waits for them; where one fails, the others are ended."""
    cores = len(os.sched_getaffinity(0))
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // here)))  # or each would take all cores
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "300")  # seconds to end a step and write a checkpoint
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # the processes say why they fail
    os.environ[_STARTER] = str(os.getpid())
    try:
        elastic_launch(_meeting(here, total // here, node), sys.executable)("-m", module, *arguments)
    except SignalException as ended:
        return 128 + ended.sigval
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        logging.error("process %d of %d ended with code %d", rank, total, failure.exitcode)
        return 128 - failure.exitcode if failure.exitcode < 0 else failure.exitcode
    except DistError as error:
        if node is None:
            raise
        return _failed(_apart(node, error))
    return 0


def _meeting(here: int, nodes: int, node: Node | None) -> LaunchConfig:
    """How this node's processes find each other and, where there are several nodes, the others'."""
    if node is None:
        return LaunchConfig(
            1, 1, here, run_id="simhand", rdzv_backend="c10d", rdzv_endpoint="localhost:0", max_restarts=0
        )
    return LaunchConfig(
        nodes,
        nodes,
        here,
        run_id="simhand",
        rdzv_backend="static",  # ranks follow the nodes' order, the same in every start
        rdzv_endpoint=f"{node.address}:{node.port}",
        rdzv_configs={"rank": node.rank, "timeout": _PATIENCE_S},
        max_restarts=0,
    )


def _apart(node: Node, error: DistError) -> TrainingError:
    return TrainingError(
        "the nodes of the run have not met, or have lost each other",
        where=f"node {node.rank}, at port {node.port} of {node.address}",
        got=str(error).partition("\n")[0] or type(error).__name__,
        hint="see whether each has started and reaches that address; MASTER_ADDR and MASTER_PORT name another",
    )


def _failed(error: SimhandError) -> int:
    logging.error("%s: %s", type(error).__name__, error)
    return 1


def _train_here(train: Callable[[Event], bool]) -> int:
    process = os.environ.get("RANK", "0")
    told = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=told if process == "0" else f"process {process}: {told}")
    stop, received = Event(), []

    def end(number: int, frame: object) -> None:
        received.append(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    if _STARTER in os.environ:
        end_with_parent(int(os.environ[_STARTER]), signal.SIGTERM)
    try:
        with logging_redirect_tqdm():
            finished = train(stop)
    except SimhandError as error:
        return _failed(error)
    return 0 if finished else 128 + (received or [signal.SIGTERM])[0]  # or another process was told to end


def leave_signals_to_the_parent(worker: int) -> None:
    """For a worker that decodes: a cluster signals all processes of a job, and it must outlive the training process."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
