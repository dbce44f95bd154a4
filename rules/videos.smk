# Stage 1. Takes: the index of each source, made when the workflow is planned. Gives: the list of each shard's videos.


rule list_videos:
    """The videos of one shard, with size and content fingerprint."""
    output:
        "results/videos/{source}/{shard}.tsv",
    log:
        "results/logs/list_videos/{source}/{shard}.log",
    benchmark:
        "results/benchmarks/list_videos/{source}/{shard}.tsv"
    params:
        videos=listed_videos,
        code=script_code("list_videos.py"),
    conda:
        "../envs/cpu.yaml"
    localrule: True
    script:
        "../workflow_scripts/list_videos.py"
