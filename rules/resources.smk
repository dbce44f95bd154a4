# What a job asks for: memory and time from what it reads and works on, CPUs and GPUs. docs/resources.md has all of it as a
# table, with what was measured.

import errno
import math
import os
from functools import cache

from pyarrow import parquet

from simhand.stable import shard_of

# Of the two processes of Snakemake in each job on a cluster: 210 MB each, 235 MB with an index of 28,000 videos.
SNAKEMAKE_MB = 500
# Where a container does not state how long a video is, its size does.
MB_AN_HOUR = 900
# A row of a pool's embeddings holds so many bytes for each component.
BYTES_A_COMPONENT = 4


def memory(own_mb, mb_per=0, of=None, per_thread_mb=0):
    """Memory as a function of what a job works on; all but Snakemake's own is multiplied by the attempt.

    `of` is a function that measures that: of wildcards, input and threads. Where it looks at files that are not there
    yet, Snakemake asks again once they are.
    """

    def asked(wildcards, input, threads, attempt):
        mb = own_mb + per_thread_mb * threads
        mb += mb_per * of(wildcards, input, threads) if of else 0
        return in_mb(mb, attempt)

    return asked


def in_mb(own_mb, attempt):
    mb = SNAKEMAKE_MB + attempt * own_mb
    return f"{rounded_up(mb, 100)}MB"


def minutes(own, per=0, of=None):
    """The same for the time; all of it is multiplied by the attempt."""

    def asked(wildcards, input, threads, attempt):
        time = own + (per * of(wildcards, input, threads) if of else 0)
        return f"{rounded_up(attempt * time, 10)}m"

    return asked


def rounded_up(number, step):
    """To a multiple of `step`, for figures that people read."""
    return step * math.ceil(number / step)


# What jobs work on.


def megabytes(*names):
    """Of the inputs of these names, or of all: `input.size_mb` would count crops too, of which next to nothing is read."""

    def of(wildcards, input, threads):
        named = [getattr(input, name) for name in names] if names else list(input)
        paths = [
            each for one in named for each in ([one] if isinstance(one, str) else one)
        ]
        return sum(os.path.getsize(path) for path in paths) / 1e6

    return of


def largest_megabytes(*names):
    """Of the largest of the inputs of these names."""

    def of(wildcards, input, threads):
        sizes = [
            os.path.getsize(path) for name in names for path in getattr(input, name)
        ]
        return max(sizes, default=0) / 1e6

    return of


def hours_of(video):
    if video.duration_s < 0:
        return video.size_bytes / 1e6 / MB_AN_HOUR
    return video.duration_s / 3600


def decoding_minutes(video):
    """What a container states may be wrong; but a video that takes longer than its limit is given up."""
    stated = 10 * hours_of(video) + 3 * video.size_bytes / 1e9
    return min(stated, CONFIG.sampling.time_limit_s / 60)


@cache
def videos_of_shards(source):
    """Of each shard of a source the number of videos, the minutes of decoding, and those of the video that takes longest."""
    sums = {}
    for video in VIDEOS[source]:
        shard = shard_of(video.video_id, CONFIG.sources[source].shards)
        count, time, longest = sums.get(shard, (0, 0, 0))
        own = decoding_minutes(video)
        sums[shard] = (count + 1, time + own, max(longest, own))
    return sums


def videos_of_shard(wildcards):
    """A job that has been submitted asks again, on its node: its videos may have been removed meanwhile."""
    return videos_of_shards(wildcards.source).get(wildcards.shard, (0, 0, 0))


def decoding_minutes_a_worker(wildcards, threads):
    """Of the worker that has most to do: a video is not cut up."""
    _, time, longest = videos_of_shard(wildcards)
    return max(time / threads, longest)


def thousand_frames(wildcards, input, threads):
    """That were sampled from the videos of a shard."""
    status = input.frames.removesuffix(".arrow") + ".status.parquet"
    if not (os.path.exists(input.frames) and os.path.exists(status)):
        # Both are of one job; what names an input makes Snakemake ask again once it is made.
        raise FileNotFoundError(
            errno.ENOENT, os.strerror(errno.ENOENT), str(input.frames)
        )
    frames = parquet.read_table(status, columns=["frames"])["frames"]
    return sum(frames.to_pylist()) / 1e3


def thousand_frames_a_worker(wildcards, input, threads):
    return thousand_frames(wildcards, input, threads) / threads


def thousand_queries(wildcards, input, threads):
    """Hands whose neighbours one job mines."""
    pool = CONFIG.pools[wildcards.pool]
    hands = os.path.getsize(input.embeddings) / (BYTES_A_COMPONENT * pool.components)
    return hands / pool.query_shards / 1e3


def million_neighbours(wildcards, input, threads):
    """That are looked at for them: as far as the last rank."""
    pool = CONFIG.pools[wildcards.pool]
    last = max([pool.neighbours, *pool.further_ranks])
    return thousand_queries(wildcards, input, threads) * last / 1e3


# Stage 2. Where a decoder is killed that had less memory than its limit allows, the job fails and is tried again with
# more (simhand/frames/sampling.py); one that had as much costs its video.

DECODER_MB = {
    1: 500,
    2: 1500,
}  # of a decoder, by the attempt; from the third on its limit
HANGING = 1 / 20  # of the videos: as many may hang, each for as long as it may


def sampling_memory(wildcards, threads, attempt):
    """What its decoders take, one a thread, and the job that gathers their frames."""
    limit = CONFIG.sampling.memory_limit_mb
    mb = SNAKEMAKE_MB + 200 + threads * min(DECODER_MB.get(attempt, limit), limit)
    return f"{rounded_up(mb, 100)}MB"


def sampling_minutes(wildcards, threads, attempt):
    """What its decoders take, and those that hang."""
    videos, *_ = videos_of_shard(wildcards)
    hanging = math.ceil(HANGING * videos / threads)
    time = 20 + decoding_minutes_a_worker(wildcards, threads)
    time += hanging * CONFIG.sampling.time_limit_s / 60
    return f"{rounded_up(attempt * time, 10)}m"


# Stage 3, 100DOH. Processes of one thread; those that share a GPU decode frames for it in turns.


DETECTION_GPUS = 0 if CONFIG.detection.device == "cpu" else 1
DETECTION_THREADS = 4 if DETECTION_GPUS else 2
DETECTION_CPUS_PER_GPU = DETECTION_THREADS if DETECTION_GPUS else 0


def detection_minutes():
    """A frame takes 2.4 s of a core, here thrice that; what a GPU takes was not measured, and is assumed."""
    if DETECTION_GPUS:
        return minutes(30, per=5, of=thousand_frames)
    return minutes(30, per=120, of=thousand_frames_a_worker)


# Stage 9.


def mining_memory(wildcards, input, threads, attempt):
    """The tree of all hands, what each thread holds, and 60 bytes for each neighbour that is kept."""
    pool = CONFIG.pools[wildcards.pool]
    ranks = pool.neighbours + len(pool.further_ranks)
    kept = thousand_queries(wildcards, input, threads) * ranks / 1e3
    read = megabytes()(wildcards, input, threads)
    return in_mb(300 + 3 * read + 60 * kept + 40 * threads, attempt)


# In the place of stages 2 to 6.


def megabytes_of_shard(wildcards, input, threads):
    """Of one shard's annotations, were all shards alike."""
    return os.path.getsize(input[0]) / 1e6 / CONFIG.sources[wildcards.annotated].shards


def importing_memory(wildcards, input, attempt):
    """The whole table is mapped and looked through, the rows of the shard are taken out."""
    table = os.path.getsize(input[0]) / 1e6
    own = 300 + table + 8 * megabytes_of_shard(wildcards, input, 1)
    return in_mb(own, attempt)


# Stages 10 and 11, which train. They ask for CPUs by the GPU, as Slurm would give each of N tasks the CPUs of all.


CPU_TRAINING_MB = 1_300  # of a process, before its images
GPU_TRAINING_MB = 8_000  # with CUDA's libraries and pinned batches
WORKER_MB = 1_000  # of a process that decodes images, most of it shared with the one that trains
CUT_OUT_PX = 400  # of a labelled image, around a hand
# Memory of images on their way through a network on a CPU, of 128 x 128 pixels in float32, for each of a batch.
MB_AN_IMAGE = {
    "resnet18": 15,
    "resnet34": 20,
    "resnet50": 45,
    "resnet101": 65,
    "resnet152": 90,
}


def retry_training_more():
    """Where failed jobs are tried again, training goes on from its checkpoint each time that its time ends.

    Called when jobs start: rules are read before Snakemake knows of `retries`.
    """
    retries = workflow.execution_settings.retries
    for name in ("pretrain", "finetune") if retries else ():
        workflow.get_rule(name).restart_times = max(5, retries)


def training_cpus(settings):
    """For each process: its own and those of its workers; 8 as the rule, which is a GPU's share of usual nodes."""
    return max(8, settings.workers + 1)


def training_threads(settings):
    """Of each node."""
    return settings.processes // settings.nodes * training_cpus(settings)


def training_gpus(settings):
    """Of a single node; those of each of several are asked for by `gres`."""
    several = settings.nodes > 1
    return 0 if several or settings.device == "cpu" else settings.processes


def training_cpus_per_gpu(settings):
    """On a single node; each of several has one task, which gets `threads` CPUs."""
    without = settings.nodes > 1 or settings.device == "cpu"
    return 0 if without else training_cpus(settings)


def training_memory(settings, images, per_process_mb, held_mb):
    """Of each node.

    Args:
        settings: of the run.
        images: that pass through the network at once, over all processes.
        per_process_mb: what each process reads beforehand.
        held_mb: of what workers hold ready, over all processes.
    """
    own_mb = CPU_TRAINING_MB if settings.device == "cpu" else GPU_TRAINING_MB
    each = own_mb + settings.workers * WORKER_MB + per_process_mb
    mb = settings.processes * each + held_mb
    if settings.device == "cpu":
        encoder = settings.encoder.removesuffix("_dilated")
        mb += images * MB_AN_IMAGE[encoder] * (settings.image_size / 128) ** 2
    return mb / settings.nodes


def ready_mb(settings, images, side_px):
    """Of two batches of images that each worker holds ready, in RGB."""
    return 2 * max(1, settings.workers) * images * 3 * side_px**2 / 1e6


def run_threads(wildcards):
    return training_threads(RUNS[wildcards.run])


def run_gpus(wildcards):
    return training_gpus(RUNS[wildcards.run])


def run_cpus_per_gpu(wildcards):
    return training_cpus_per_gpu(RUNS[wildcards.run])


def run_memory(wildcards, input, attempt):
    """A step holds two views of each pair; each process reads the table of the pool."""
    run = RUNS[wildcards.run]
    at_once = min(run.batch_size, (run.micro_batch or run.batch_size) * run.processes)
    pool_mb = 8 * os.path.getsize(input.members) / 1e6
    mb = training_memory(
        run, 2 * at_once, pool_mb, ready_mb(run, 2 * run.batch_size, CONFIG.crops.size)
    )
    return in_mb(mb, attempt)


FINETUNING_THREADS = training_threads(CONFIG.finetuning)
FINETUNING_GPUS = training_gpus(CONFIG.finetuning)
FINETUNING_CPUS_PER_GPU = training_cpus_per_gpu(CONFIG.finetuning)


def finetuning_memory(wildcards, input, attempt):
    """DetNet holds twice of what its encoder alone does; each process reads the labels."""
    settings = CONFIG.finetuning
    labels_mb = 5 * sum(map(os.path.getsize, input.labels)) / 1e6
    batch = settings.batch_size
    mb = training_memory(
        settings, 2 * batch, labels_mb, ready_mb(settings, batch, CUT_OUT_PX)
    )
    return in_mb(mb, attempt)


# The data report.


REPORTED_TABLES = ["hands", "keypoints", "members", "embeddings", "neighbours"]
