"""What Snakemake would run, and what it knows of the reasons: the one module that talks to Snakemake.

`snakemake -n` tells a job's own reason only where no other job makes it run already, and a change without the names of
keys. So the workflow is planned in this process, and asked.
"""

from __future__ import annotations

import logging
import os
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from snakemake.api import SnakemakeApi, WorkflowApi
from snakemake.cli import parse_args, parse_config
from snakemake.common import async_run
from snakemake.exceptions import MissingRuleException
from snakemake.persistence import PersistenceBase
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    DeploymentSettings,
    ExecutionSettings,
    OutputSettings,
    ResourceSettings,
)

from simhand.config_errors import did_you_mean
from simhand.errors import InputError, SimhandError
from simhand.videos.sources import ONLY_LOOK
from simhand.why.chain_job import ChainJob
from simhand.why.job import Job

Told = TypeVar("Told")


def planned_jobs(options: Sequence[str], targets: Sequence[str]) -> list[Job] | None:
    """All jobs that `snakemake -n` would list for the targets, in the order of the rules; nothing is run.

    Args:
        options: of snakemake, such as --profile and --configfile.
        targets: files, or rules.

    Returns:
        None: the workflow cannot be planned, and Snakemake has said on standard error why.

    Raises:
        SimhandError: the workflow itself says so, or a target is none of its.
        OSError: Snakemake's own folder cannot be written, where it is missing.
    """
    return _asked(["--dry-run", *options], targets, _jobs)


def chain_jobs(options: Sequence[str], targets: Sequence[str]) -> list[ChainJob] | None:
    """All jobs that lead to the targets, in the order of the rules, those too that would not run; nothing is run.

    Snakemake may be at work here meanwhile: no lock is taken, and what is half written does not count.

    Args:
        options: of snakemake, such as --profile and --configfile.
        targets: files, or rules.

    Returns:
        None: the workflow cannot be planned, and Snakemake has said on standard error why.

    Raises:
        SimhandError: the workflow itself says so, or a target is none of its.
        OSError: Snakemake's own folder cannot be written, where it is missing.
    """
    return _asked(["--dry-run", "--rerun-incomplete", *options], targets, _chain)


def _asked(options: Sequence[str], targets: Sequence[str], tell: Callable[[Any], Iterator[Told]]) -> list[Told] | None:
    """What is told of the workflow after a dry run."""
    os.environ[ONLY_LOOK] = "1"  # jobs that run meanwhile read the indices
    _, args = parse_args(["--cores", "1", *options, "--", *targets])
    with SnakemakeApi(OutputSettings(dryrun=True, log_level_override=logging.WARNING)) as api:
        try:
            workflow = _planned(api, args)
        except (SimhandError, OSError):
            raise
        except Exception as error:  # whatever a Snakefile raises; told as snakemake tells it
            if isinstance(error.__context__, SimhandError):  # which rules/common.smk wraps for snakemake
                raise error.__context__ from None
            api.print_exception(error)
            return None
        return list(tell(workflow))


def _planned(api: SnakemakeApi, args: Namespace) -> Any:
    """Snakemake's own workflow, after a dry run.

    Raises:
        InputError: a target is neither a rule nor a file that one makes.
    """
    # Of use for --trust-io-cache only; the folder may be somebody else's, or on a full disk.
    setattr(PersistenceBase, "save_iocache", lambda self: None)  # noqa: B010 - mypy refuses it written plainly
    workflow_api: WorkflowApi = api.workflow(
        resource_settings=ResourceSettings(cores=args.cores),
        config_settings=ConfigSettings(
            config=parse_config(args.config), configfiles=args.configfile, config_args=args.config
        ),
        deployment_settings=DeploymentSettings(deployment_method=args.software_deployment_method),
        snakefile=args.snakefile,
        workdir=args.directory,
    )
    dag_api = workflow_api.dag(
        DAGSettings(
            targets=args.targets,
            force_incomplete=args.rerun_incomplete,
            rerun_triggers=args.rerun_triggers,
            max_checksum_file_size=args.max_checksum_file_size,
        )
    )
    workflow = workflow_api._workflow
    try:
        dag_api.execute_workflow(executor="dryrun", execution_settings=ExecutionSettings(lock=False))
    except MissingRuleException as error:
        raise _unknown_target(args.targets, [rule.name for rule in workflow.rules if rule.norun]) from error
    return workflow


def _unknown_target(given: Sequence[str], names: Sequence[str]) -> InputError:
    hints = [did_you_mean(target, list(names)) for target in given]
    return InputError(
        "no such target",
        expected=f"{', '.join(names)}, or a file under results/ that the workflow makes",
        got=" ".join(given),
        hint=next(filter(None, hints), None),
    )


def _sorted(jobs: Iterable[Any], workflow: Any) -> list[Any]:
    """In the order of the rules, without those that only name targets."""
    place = {rule.name: number for number, rule in enumerate(workflow.rules)}
    working = (job for job in jobs if not job.rule.norun)
    return sorted(working, key=lambda job: (place[job.rule.name], [str(value) for value in job.wildcards]))


def _chain(workflow: Any) -> Iterator[ChainJob]:
    to_do = set(workflow.dag.needrun_jobs(exclude_finished=False))
    records = workflow.persistence
    for job in _sorted(workflow.dag.jobs, workflow):
        outputs = tuple(map(str, job.output))
        yield ChainJob(
            rule=job.rule.name,
            wildcards=tuple(map(str, job.wildcards)),
            outputs=outputs,
            logs=tuple(map(str, job.log)),
            is_to_do=job in to_do,
            is_there=all(Path(path).exists() for path in outputs),
            is_started=bool(records._filter_incomplete_keys([records._get_key(output) for output in job.output])),
        )


def _jobs(workflow: Any) -> Iterator[Job]:
    planned = _sorted(workflow.dag.needrun_jobs(exclude_finished=False), workflow)
    running = set(planned)
    for job in planned:
        before = {other: files for other, files in workflow.dag.dependencies[job].items() if other in running}
        yield _described(job, before, workflow)


def _described(job: Any, before: dict[Any, set[str]], workflow: Any) -> Job:
    """Also what Snakemake does not ask of jobs that run anyway, so that no cause is hidden by another one."""
    records, reason = workflow.persistence, workflow.dag.reason(job)
    changed = records.params_changed(job)
    now = {repr(value): name for name, value in job.params.items()}
    values = dict(job.params.items())
    inputs, read = set(map(str, job.input)), _recorded_inputs(job, records)
    made = {str(path) for files in before.values() for path in files}
    return Job(
        rule=job.rule.name,
        wildcards=tuple(map(str, job.wildcards)),
        after=frozenset(other.rule.name for other in before),
        is_recorded=records.has_metadata(job),
        is_interrupted=bool(async_run(records.incomplete(job))),
        missing=tuple(sorted(map(str, reason.missing_output))),
        updated=tuple(sorted(map(str, reason.updated_input - reason.updated_input_run))),
        inputs_before=tuple(sorted(read - inputs)) if read else (),
        inputs_now=tuple(sorted(inputs - read - made)) if read else (),
        params_before=tuple(sorted(changed.only_old)) if changed else (),
        params_now={now[text]: values[now[text]] for text in sorted(changed.only_new)} if changed else {},
        is_software_changed=any(records.software_stack_changed(job)),
        log=next((str(path) for path in job.log if Path(path).is_file()), None),
        in_short=str(reason),
    )


def _recorded_inputs(job: Any, records: Any) -> set[str]:
    """What a job's files were made of."""
    return {path for output in job.output for path in records.input(output) or ()}
