# What the rules share: the checked configuration, the index of the sources, and functions for inputs and params.

import logging
import os
import re
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

from simhand.config import check_pool_sizes, check_videos_once, load_config
from simhand.errors import ConfigError, SimhandError
from simhand.finetuning.settings import EXECUTION as FINETUNING_EXECUTION
from simhand.finetuning.settings import NO_PRETRAINING
from simhand.fingerprint import file_fingerprints, module_path
from simhand.hand100m.settings import ImportSettings, ReleasedSettings, shard_names
from simhand.hands.hundred_doh.published import checked_sha256
from simhand.hands.settings import (
    HundredDohExecution,
    HundredDohSettings,
    MediaPipeSettings,
)
from simhand.keypoints.settings import LandmarkSettings
from simhand.logs import planning_log
from simhand.mining.settings import DrawSettings, EmbeddingSettings, NeighbourSettings
from simhand.paper.derived_runs import all_runs
from simhand.paper.planning import paper_table, table_or_reason
from simhand.pretraining.settings import EXECUTION
from simhand.reporting.page_files import page_files
from simhand.videos.index import read_index, shard_lists
from simhand.videos.sources import update_index

# Jobs in an environment of their own import simhand from here. The variable stands before each command since Snakemake
# keeps conda's environments free of that of its own shell. Other jobs run with the Python that runs snakemake.
DEPLOYED_BY = workflow.deployment_settings.deployment_method
if DEPLOYED_BY & {DeploymentMethod.CONDA, DeploymentMethod.APPTAINER}:
    shell.prefix(f'set -euo pipefail; export PYTHONPATH="{workflow.basedir}"; ')
else:
    shell.prefix(
        f'set -euo pipefail; export PATH="{Path(sys.executable).parent}:$PATH"; '
    )

# The image belongs to the site, so the workflow does not name it.
if DeploymentMethod.APPTAINER in DEPLOYED_BY:
    IMAGE = os.environ.get("SIMHAND_CONTAINER")
    if not IMAGE:
        raise WorkflowError(
            "containers are asked for (apptainer), and no image is named\n"
            "  hint:     export SIMHAND_CONTAINER=/path/to/image.sif (docs/environments.md)"
        )

    container: IMAGE


def index_sources(settings):
    """The videos of each source; looked at anew when planning, not in every job on a cluster."""
    sources = {
        name: source
        for name, source in settings.sources.items()
        if source.kind != "annotations"
    }
    indices = {name: f"results/videos/{name}/index.tsv" for name in sources}
    if not workflow.is_main_process:
        return {name: read_index(index) for name, index in indices.items()}
    return {
        name: update_index(
            source.kind, source.path, indices[name], frame_rate=source.frame_rate
        )
        for name, source in sources.items()
    }


@cache
def weights_sha256(wildcards=None):
    """What the detector's weights hash to; a wrong file is told when planning."""
    return checked_sha256(CONFIG.detection.weights, CONFIG.detection.sha256)


AFTER_AN_ERROR = """
What is finished stays, what was at work is done again: once the cause is mended, or after Ctrl-C, the same command goes on.
`simhand status`, with the same --configfile and --profile, shows what failed, and its log's last lines."""

planning_log()
try:
    CONFIG = load_config(config, where=" ".join(map(str, workflow.configfiles)))
    VIDEOS = index_sources(CONFIG)
    if workflow.is_main_process:  # and not again in each of its jobs
        check_videos_once(CONFIG, VIDEOS)
        check_pool_sizes(CONFIG, VIDEOS)
        if CONFIG.detection.detector == "hundred_doh":
            weights_sha256()
except SimhandError as error:
    raise WorkflowError(str(error)) from None
# Which videos are annotated is not known before the JSON is read: all shards are made, some may be empty.
SHARDS = {
    name: (
        shard_lists(VIDEOS[name], source.shards)
        if name in VIDEOS
        else dict.fromkeys(shard_names(source.shards))
    )
    for name, source in CONFIG.sources.items()
}


def is_annotated(source):
    """Whether the hands of a source are annotated, not looked for in videos."""
    return source not in VIDEOS


def one_of(names):
    """A pattern for these names and no other text."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    source=one_of(name for name in CONFIG.sources if not is_annotated(name)),
    annotated=one_of(filter(is_annotated, CONFIG.sources)),
    shard="[0-9]+of[0-9]+",
    pool="[^/]+",
    query="[0-9]+of[0-9]+",
    run="[^/]+",
    labelled="[^/]+",
    percent="[0-9]+",
    seed="[0-9]+",


def script_code(name):
    """The files behind a rule's script, each with a value that changes with what it does."""
    return file_fingerprints(Path(workflow.basedir, "workflow_scripts", name))


def page_code(name):
    """The same for a script that writes a page, with the page's own style and script."""
    return script_code(name) | page_files()


def module_code(module):
    """The same for a module of simhand that a rule runs by itself."""
    return file_fingerprints(module_path(module))


def shards_of_pool(pattern, pool):
    """A file for each shard of each source of a pool."""
    return [
        pattern.format(source=source, shard=shard)
        for source in CONFIG.pools[pool].sources
        for shard in SHARDS[source]
    ]


def all_shards(pattern):
    """A file for each shard of each source."""
    return [
        pattern.format(source=source, shard=shard)
        for source, shards in SHARDS.items()
        for shard in shards
    ]


def video_shards(pattern):
    """A file for each shard of each source whose hands are looked for in videos."""
    return [
        pattern.format(source=source, shard=shard)
        for source in VIDEOS
        for shard in SHARDS[source]
    ]


def queries(pool):
    """The names of the shards of a pool's queries."""
    count = CONFIG.pools[pool].query_shards
    return [f"{i}of{count}" for i in range(count)]


def neighbours_of_pool(pool):
    """All neighbours of a pool."""
    if CONFIG.pools[pool].similar == "annotated":
        return [f"results/pools/{pool}/neighbours/released.parquet"]
    return [
        f"results/pools/{pool}/neighbours/{query}.parquet" for query in queries(pool)
    ]


def all_neighbours():
    """All neighbours of all pools."""
    return [path for pool in CONFIG.pools for path in neighbours_of_pool(pool)]


# Stage 1.


def listed_videos(wildcards):
    return SHARDS[wildcards.source][wildcards.shard]


# Stages 3 to 5.


def own_model(wildcards):
    return [str(CONFIG.keypoints.model)] if CONFIG.keypoints.model else []


def detection_weights(wildcards, threads):
    """Without effect on what is run again, as `run_execution`: what counts is their content."""
    return str(CONFIG.detection.weights)


def detection_execution(wildcards, threads):
    """Without effect on what is run again, as `run_execution`."""
    return CONFIG.detection.values(HundredDohExecution)


# Stages 7 to 9.


def pool_crops(wildcards):
    return shards_of_pool("results/crops/{source}/{shard}.arrow", wildcards.pool)


def pool_keypoints(wildcards):
    return shards_of_pool("results/keypoints/{source}/{shard}.parquet", wildcards.pool)


def pool_status(wildcards):
    return shards_of_pool(
        "results/frames/{source}/{shard}.status.parquet", wildcards.pool
    )


def pool_shards(wildcards):
    return shards_of_pool("{source}/{shard}", wildcards.pool)


def draw_settings(wildcards):
    return CONFIG.pools[wildcards.pool].values(DrawSettings)


def embedding_settings(wildcards):
    return CONFIG.pools[wildcards.pool].values(EmbeddingSettings)


def neighbour_settings(wildcards):
    return CONFIG.pools[wildcards.pool].values(NeighbourSettings)


# In the place of stages 1 to 6, and 9, where hands are annotated.


def annotation_file(wildcards):
    return str(CONFIG.sources[wildcards.annotated].annotations)


def annotated_images(wildcards):
    return str(CONFIG.sources[wildcards.annotated].images)


def pool_sources(wildcards):
    return list(CONFIG.pools[wildcards.pool].sources)


def pool_annotations(wildcards):
    return expand("results/annotations/{source}.arrow", source=pool_sources(wildcards))


def released_settings(wildcards):
    return CONFIG.pools[wildcards.pool].values(ReleasedSettings)


# Stage 10.


RUNS = all_runs(CONFIG.pretraining, CONFIG.experiment.paper)


def run_members(wildcards):
    return f"results/pools/{RUNS[wildcards.run].pool}/members.parquet"


def run_neighbours(wildcards):
    run = RUNS[wildcards.run]
    return neighbours_of_pool(run.pool) if run.method == "simhand" else []


def run_crops(wildcards):
    pool = RUNS[wildcards.run].pool
    return shards_of_pool("results/crops/{source}/{shard}.arrow", pool)


def run_weights(wildcards):
    run = RUNS[wildcards.run]
    if run.initial_run:
        return [f"results/pretraining/{run.initial_run}/encoder.pt"]
    return [str(run.initial_file)] if run.initial_file else []


def initial_option(wildcards):
    return [part for path in run_weights(wildcards) for part in ("--initial", path)]


def run_settings(wildcards):
    return RUNS[wildcards.run].model_dump_json(exclude=EXECUTION)


def run_execution(wildcards, threads):
    """Snakemake does not compare what it calls with `threads`: a change of these trains nothing anew."""
    return RUNS[wildcards.run].model_dump_json(include=EXECUTION)


def run_starter(wildcards, threads, resources):
    """Without effect on what is run again, as `run_execution`."""
    return starter(RUNS[wildcards.run].nodes, threads, resources.get("gres"))


def starter(nodes, threads, gres):
    """What starts a run's command on each of its nodes, with all CPUs and GPUs that the job has there; on one node nothing.

    Snakemake itself runs in a step on the first node, whose variables would keep this one on the same node.
    """
    if nodes == 1:
        return ""
    return (
        "env -u SLURM_NODELIST -u SLURM_JOB_NODELIST srun --overlap --kill-on-bad-exit=1"
        f" --nodes={nodes} --ntasks={nodes} --ntasks-per-node=1 --cpus-per-task={threads}"
        f"{f' --gres={gres}' if gres else ''} "
    )


def node_gres(settings):
    """The GPUs of each of several nodes, as Slurm calls them; `gpu` asks for those of a single node."""
    if settings.nodes == 1 or settings.device == "cpu":
        return ""
    return f"gpu:{settings.processes // settings.nodes}"


def run_nodes(wildcards):
    return RUNS[wildcards.run].nodes


def run_gres(wildcards):
    return node_gres(RUNS[wildcards.run])


# Stage 11.


def labelled_files(wildcards):
    return CONFIG.labelled[wildcards.labelled].label_files()


def initial_encoder(wildcards):
    if wildcards.run == NO_PRETRAINING:
        return []
    if wildcards.run in CONFIG.encoders:
        return [str(CONFIG.encoders[wildcards.run])]
    return [f"results/pretraining/{wildcards.run}/encoder.pt"]


def encoder_or_none(wildcards):
    return (initial_encoder(wildcards) or [NO_PRETRAINING])[0]


def labelled_folder(wildcards):
    return CONFIG.labelled[wildcards.labelled].path


def labelled_format(wildcards):
    return CONFIG.labelled[wildcards.labelled].format


def labelled_read(wildcards):
    labelled = CONFIG.labelled[wildcards.labelled]
    return labelled.reading(CONFIG.finetuning.behaviour).model_dump_json()


def finetuning_execution(wildcards, threads):
    """Without effect on what is run again, as `run_execution`."""
    return CONFIG.finetuning.model_dump_json(include=FINETUNING_EXECUTION)


def finetuning_starter(wildcards, threads, resources):
    """Without effect on what is run again, as `run_execution`."""
    return starter(CONFIG.finetuning.nodes, threads, resources.get("gres"))


# The data report, and stage 12.


POOLS = [
    {
        "name": name,
        "sources": list(pool.sources),
        "min_visible": pool.min_visible,
    }
    for name, pool in CONFIG.pools.items()
]


# The folder of images of each source whose hands are annotated.
ANNOTATED = {
    name: str(source.images)
    for name, source in CONFIG.sources.items()
    if is_annotated(name)
}


RESULTS = [
    (labelled, run, percent, seed)
    for labelled in CONFIG.experiment.labelled
    for percent in CONFIG.experiment.label_percents
    for run in CONFIG.experiment.runs
    for seed in CONFIG.experiment.seeds
]


def result_files(results, name):
    """A file of each fine-tuned model."""
    folder = "results/finetuning/{}/{}/{}/{}"
    return [f"{folder.format(*result)}/{name}" for result in results]


# The paper's tables. The report holds the first.


TABLE_1, NO_TABLE_1 = table_or_reason("table1", CONFIG.for_paper)
if NO_TABLE_1 and workflow.is_main_process:
    logging.getLogger("simhand").warning(
        "The report is without the paper's Table 1: %s", NO_TABLE_1
    )


def planned_table(wildcards):
    try:
        return paper_table(wildcards.table, CONFIG.for_paper)
    except ConfigError as error:
        raise WorkflowError(str(error)) from None


def cell_files(table, name):
    """A file of each cell of one of the paper's tables, one a seed."""
    seeds = CONFIG.experiment.seeds
    cells = [(*cell, seed) for cell in table.cells() for seed in seeds]
    return result_files(cells, name)


def paper_metrics(wildcards):
    return cell_files(planned_table(wildcards), "metrics.json")


def paper_predictions(wildcards):
    return cell_files(planned_table(wildcards), "predictions.parquet")


def paper_values(wildcards):
    return planned_table(wildcards).values()


def reported_runs():
    """The named pre-training runs, and those besides that Table 1 compares."""
    further = TABLE_1.runs() if TABLE_1 else []
    return list(
        dict.fromkeys(run for run in (*CONFIG.pretraining, *further) if run in RUNS)
    )


# Predicted hands: of the models with most labels, with and without pre-training as far as there are such.


def drawn_results(wildcards):
    percent = max(CONFIG.experiment.label_percents)
    return [
        result
        for result in RESULTS
        if (result[0], result[2]) == (wildcards.labelled, percent)
    ]


def drawn_metrics(wildcards):
    return result_files(drawn_results(wildcards), "metrics.json")


def drawn_predictions(wildcards):
    return result_files(drawn_results(wildcards), "predictions.parquet")


def hand_sheets():
    """A sheet of predicted hands for each labelled set that the experiment's runs are trained on."""
    return expand(
        "results/report/hands_{labelled}.png",
        labelled=dict.fromkeys(labelled for labelled, *_ in RESULTS),
    )
