"""What is asked of Slurm for runs on several nodes, and how they start."""

from __future__ import annotations

import re

from tests.workflow.checkout import Checkout
from tests.workflow.test_plan import checkout  # noqa: F401

SRUN = "srun --overlap --kill-on-bad-exit=1 --nodes=2 --ntasks=2 --ntasks-per-node=1 --cpus-per-task={}{} python -m"


def test_each_of_several_nodes_has_its_share(checkout: Checkout) -> None:  # noqa: F811
    config = checkout.config()
    config["pretraining"]["simclr"] |= {"processes": 4, "nodes": 2}
    config["pretraining"]["peclr"] |= {"processes": 4, "nodes": 2, "device": "cpu"}
    config["pretraining"]["simhand"] |= {"processes": 4}
    config["finetuning"] |= {"processes": 2, "nodes": 2}
    checkout.write_config(config)
    targets = ["pretrained", "results/finetuning/demo/none/100/0/model.pt"]
    jobs = planned(checkout, *targets)
    asked = {name: resources(job) for name, job in jobs.items()}

    several = {"nodes": "2", "tasks": "2", "gpu": "0", "cpus_per_gpu": "0", "tasks_per_gpu": "0"}
    assert asked["simclr"] == several | {"gres": "gpu:2", "threads": "16"}
    assert asked["peclr"] == several | {"gres": "", "threads": "16"}
    assert asked["finetune"] == several | {"gres": "gpu:1", "threads": "8"}
    single = {"nodes": "1", "tasks": "1", "gpu": "4", "cpus_per_gpu": "8", "tasks_per_gpu": "0"}
    assert asked["simhand"] == single | {"gres": "", "threads": "32"}

    assert SRUN.format(16, " --gres=gpu:2") in jobs["simclr"]
    assert SRUN.format(16, "") in jobs["peclr"]
    assert SRUN.format(8, " --gres=gpu:1") in jobs["finetune"]
    assert "srun" not in jobs["simhand"].split("Shell command")[1]


def test_a_site_that_gives_other_cpus_and_gpus_has_them_on_each_node(checkout: Checkout) -> None:  # noqa: F811
    config = checkout.config()
    config["pretraining"]["simclr"] |= {"processes": 4, "nodes": 2}
    config["finetuning"] |= {"processes": 2, "nodes": 2}
    checkout.write_config(config)
    targets = ["results/pretraining/simclr/encoder.pt", "results/finetuning/demo/none/100/0/model.pt"]
    site = ["--set-threads", "pretrain=4", "finetune=3", "--set-resources", "pretrain:gres=gpu:a100:2"]
    jobs = planned(checkout, *targets, *site)
    asked = {name: resources(job) for name, job in jobs.items()}

    assert {name: (each["threads"], each["gres"]) for name, each in asked.items()} == {
        "simclr": ("4", "gpu:a100:2"),
        "finetune": ("3", "gpu:1"),
    }
    assert SRUN.format(4, " --gres=gpu:a100:2") in jobs["simclr"]
    assert SRUN.format(3, " --gres=gpu:1") in jobs["finetune"]


def planned(checkout: Checkout, *arguments: str) -> dict[str, str]:  # noqa: F811
    """What `snakemake -n -p` prints of each run's pre-training, and of the last fine-tuning."""
    text = checkout.snakemake("--cores", "64", "-n", "-p", *arguments).stdout
    jobs = {}
    for rule, job in re.findall(r"^rule (pretrain|finetune):(.*?)(?=^rule |\Z)", text, re.MULTILINE | re.DOTALL):
        run = re.findall(r"wildcards: .*run=(\w+)", job)[0]
        jobs[run if rule == "pretrain" else rule] = job
    return jobs


def resources(job: str) -> dict[str, str]:
    """What of a planned job Slurm makes of nodes, tasks, CPUs and GPUs."""
    names = ("nodes", "tasks", "gpu", "cpus_per_gpu", "tasks_per_gpu", "gres")
    values = {name: re.findall(rf"\b{name}=([^,\n]*)", job)[0] for name in names}
    return values | {"threads": re.findall(r"^ +threads: (\d+)$", job, re.MULTILINE)[0]}
