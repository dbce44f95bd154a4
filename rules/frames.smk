# Stage 2. Takes: the list of a shard's videos. Gives: their frames, sampled by time, and how each video went.


rule sample_frames:
    """The frames of one shard's videos, `sampling.fps` a second."""
    input:
        videos="results/videos/{source}/{shard}.tsv",
    output:
        frames="results/frames/{source}/{shard}.arrow",
        status="results/frames/{source}/{shard}.status.parquet",
    log:
        "results/logs/sample_frames/{source}/{shard}.log",
    benchmark:
        "results/benchmarks/sample_frames/{source}/{shard}.tsv"
    params:
        settings=CONFIG.sampling.values(),
        code=script_code("sample_frames.py"),
    threads: 2
    resources:
        mem=sampling_memory,
        runtime=sampling_minutes,
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/sample_frames.py"
