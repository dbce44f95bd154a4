"""A real Slurm on this machine: munged, one slurmctld and four slurmds, brought up and taken down by its user."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("setpriv", "munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
NODES = ("cpu1", "cpu2", "gpu1", "gpu2")
CPUS = 16  # that each node says it has
GPUS = 2  # of a node whose name says that it has some
# Job steps look for it nowhere else: Snakemake's plugin takes SLURM_CONF out of their environment.
_FOLDER = Path("/etc/slurm")
_OURS = "# Written by simhand's tests, removed at their end.\n"
_SECONDS = 120.0  # that anything of Slurm's may take

_CONFIG = """\
ClusterName=simhand
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SchedulerParameters=batch_sched_delay=0
SlurmdParameters=config_overrides
GresTypes=gpu
JobRequeue=0
ReturnToService=2
SlurmdTimeout=15
KillWait=5
MinJobAge=3600
{nodes}
PartitionName=cpu Nodes=cpu1,cpu2 Default=YES LLN=YES MaxTime=INFINITE OverTimeLimit=0
PartitionName=gpu Nodes=gpu1,gpu2 MaxTime=INFINITE OverTimeLimit=0
"""
_NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory=64000{gres}"


def reason_to_skip() -> str | None:
    """Why no Slurm can be brought up here, None where it can."""
    missing = [program for program in PROGRAMS if shutil.which(program, path=_search_path()) is None]
    if missing:
        return f"no {', '.join(missing)} (apt install slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "only root can bring up a Slurm of its own"
    if "SLURM_CONF" in os.environ:
        return f"this machine has a Slurm of its own (SLURM_CONF={os.environ['SLURM_CONF']})"
    for config in (_FOLDER / "slurm.conf", _FOLDER / "gres.conf"):
        if config.exists() and not config.read_text().startswith(_OURS):
            return f"this machine has a Slurm of its own ({config})"
    if (_FOLDER / "slurm.conf").exists() and run("scontrol", "ping", check=False).returncode == 0:
        return "other tests have brought up a Slurm here"
    return None


@dataclass
class Cluster:
    """A running Slurm: cpu1, cpu2 in the partition cpu, gpu1, gpu2 in the partition gpu, with GPUs that only count."""

    folder: Path
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start_node(self, name: str) -> None:
        """Starts a node's slurmd and waits until it can be given work."""
        self._start(name, "slurmd", "-D", "-N", name)
        wait_until(lambda: self.state(name) in {"idle", "mixed", "allocated"}, f"{name} works")

    def kill_node(self, name: str) -> None:
        """As when its power fails: the daemon and all that runs there end at once."""
        self._end(name, signal.SIGKILL)
        for process in processes_of(name) | _watchers_of(name):
            os.kill(process, signal.SIGKILL)

    def start_controller(self) -> None:
        """Starts slurmctld and waits until it answers."""
        self._start("slurmctld", "slurmctld", "-D")
        wait_until(lambda: run("scontrol", "ping", check=False).returncode == 0, "slurmctld answers")

    def stop_controller(self) -> None:
        """Ends slurmctld, which keeps its state; jobs go on."""
        self._end("slurmctld", signal.SIGTERM)

    @contextmanager
    def forgetting(self, seconds: int) -> Iterator[None]:
        """Within the block Slurm forgets jobs so many seconds after their end, or a minute later."""
        config = _FOLDER / "slurm.conf"
        text = config.read_text()
        config.write_text(text.replace("MinJobAge=3600", f"MinJobAge={seconds}"))
        run("scontrol", "reconfigure")
        try:
            yield
        finally:
            config.write_text(text)
            run("scontrol", "reconfigure")

    def heal(self) -> None:
        """Starts again what a test has left dead."""
        if "slurmctld" not in self.daemons:
            self.start_controller()
        for node in NODES:
            if node not in self.daemons:
                self.start_node(node)

    def state(self, node: str) -> str:
        """What Slurm thinks of a node: idle, down, ..."""
        return run("sinfo", "--noheader", "--Node", "--nodes", node, "--format=%T", check=False).stdout.split("\n")[0]

    def jobs(self) -> list[Job]:
        """All jobs that Slurm still knows, finished ones too, in the order of submission."""
        lines = run("squeue", "--noheader", "--states=all", "--sort=i", f"--format={'|'.join(_FIELDS)}").stdout
        return [Job(*line.split("|")) for line in lines.splitlines()]

    def running(self) -> list[Job]:
        """Those that run."""
        return [job for job in self.jobs() if job.state == "RUNNING"]

    def active(self) -> list[Job]:
        """Those that have not ended."""
        return [job for job in self.jobs() if job.state in _ACTIVE]

    def cancel_all(self) -> None:
        """Cancels all jobs and waits for their end."""
        run("scancel", "--user", "root", check=False)
        wait_until(lambda: not self.active(), "all jobs have ended")

    def _start(self, name: str, *command: str) -> None:
        outlived = ["setpriv", "--pdeathsig", "TERM"]  # by nobody: it ends with the tests, however they end
        with (self.folder / f"{name}.out").open("ab") as log:
            self.daemons[name] = subprocess.Popen(
                [*outlived, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(),
                start_new_session=True,
            )  # fmt: skip

    def _end(self, name: str, number: int) -> None:
        daemon = self.daemons.pop(name)
        daemon.send_signal(number)
        daemon.wait(timeout=_SECONDS)


_ACTIVE = {"PENDING", "RUNNING", "SUSPENDED", "COMPLETING"}
_FIELDS = ("%i", "%T", "%P", "%N", "%k", "%m", "%C", "%S", "%e")


@dataclass(frozen=True)
class Job:
    """What squeue says of a job."""

    number: str
    state: str
    partition: str
    nodes: str
    comment: str  # the rule and its wildcards
    memory: str
    cpus: str
    begun: str
    ended: str

    @property
    def rule(self) -> str:
        return self.comment.removeprefix("rule_").split("_wildcards_")[0]


@contextmanager
def slurm(folder: Path) -> Iterator[Cluster]:
    """A Slurm whose state lies in `folder`, a short path (of sockets); gone at the end, with all its jobs."""
    folder.chmod(0o755)  # munged wants everybody to reach its socket
    cluster = Cluster(folder)
    with ExitStack() as stack:
        _write_configuration(folder, stack)
        stack.callback(lambda: [cluster._end(name, signal.SIGTERM) for name in list(cluster.daemons)])
        cluster._start("munged", "munged", "--foreground", f"--key-file={folder}/munge.key",
                       f"--socket={folder}/munge.socket", f"--pid-file={folder}/munged.pid",
                       f"--log-file={folder}/munged.log", f"--seed-file={folder}/munged.seed")  # fmt: skip
        wait_until((folder / "munge.socket").exists, "munged has a socket")
        cluster.start_controller()
        for node in NODES:
            cluster.start_node(node)
        stack.callback(cluster.cancel_all)
        yield cluster


def wait_until(holds: Callable[[], object], what: str, seconds: float = _SECONDS) -> None:
    """Waits until something holds.

    Raises:
        TimeoutError: it does not within so many seconds.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.2)


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs one of Slurm's programs."""
    return subprocess.run(command, capture_output=True, text=True, check=check, env=_environment(), timeout=_SECONDS)


def _write_configuration(folder: Path, stack: ExitStack) -> None:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("state", *(f"spool-{node}" for node in NODES)):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    host = socket.gethostname()
    nodes = [
        _NODE.format(
            name=name, host=host, port=_free_port(), cpus=CPUS, gres=f" Gres=gpu:{GPUS}" * name.startswith("gpu")
        )
        for name in NODES
    ]
    files = {
        "slurm.conf": _CONFIG.format(host=host, port=_free_port(), folder=folder, nodes="\n".join(nodes)),
        "gres.conf": f"NodeName=gpu[1-2] Name=gpu File=/dev/null,/dev/zero Count={GPUS}\n",
    }
    for name, text in files.items():
        path = _FOLDER / name
        stack.callback(path.unlink, missing_ok=True)
        path.write_text(_OURS + text)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _search_path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    return {**ours, "PATH": _search_path()}


def processes_of(node: str, command: str = "") -> set[int]:
    """The processes of a node's jobs that have a word in their command line."""
    return {
        process
        for process, path in _all_processes()
        if f"SLURMD_NODENAME={node}" in _read(path / "environ").split("\0") and command in _read(path / "cmdline")
    }


def _watchers_of(node: str) -> set[int]:
    """Slurm's own processes that watch the jobs of a node."""
    stats = [_read(Path(f"/proc/{child}/stat")) for child in processes_of(node)]
    parents = {int(stat.rsplit(")", 1)[1].split()[1]) for stat in stats if stat}
    watchers = [(process, path) for process, path in _all_processes() if process in parents]
    return {process for process, path in watchers if _read(path / "comm") == "slurmstepd\n"}


def _all_processes() -> list[tuple[int, Path]]:
    return [(int(path.name), path) for path in Path("/proc").glob("[0-9]*")]


def _read(path: Path) -> str:
    """What the system says of a process; nothing if it has ended meanwhile."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
