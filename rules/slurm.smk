# What running on Slurm needs besides the profile (docs/cluster.md).

import sys

from simhand.slurm import Patience, refuse_orphans

SLURM_PLUGIN = sys.modules.get("snakemake_executor_plugin_slurm")
if SLURM_PLUGIN and workflow.is_main_process:
    Patience.give_to(SLURM_PLUGIN)


def job_comment(job):
    """What the plugin has Slurm say of a job."""
    wildcards = SLURM_PLUGIN.get_job_wildcards(job)
    return f"rule_{job.name}" + (f"_wildcards_{wildcards}" if wildcards else "")


onstart:
    retry_training_more()
    if SLURM_PLUGIN:
        try:
            refuse_orphans(
                Path(workflow.workdir_init),
                {job_comment(job) for job in workflow.dag.needrun_jobs()},
            )
        except SimhandError as error:
            raise WorkflowError(str(error)) from None
