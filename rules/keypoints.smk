# Stage 6. Takes: a shard's crops and the frames around them. Gives: 21 keypoints a crop.


rule find_keypoints:
    """The 21 keypoints of one shard's crops; missed hands keep their row."""
    input:
        frames="results/frames/{source}/{shard}.arrow",
        crops="results/crops/{source}/{shard}.arrow",
        model="results/models/hand_landmarker.task",
    output:
        "results/keypoints/{source}/{shard}.parquet",
    log:
        "results/logs/find_keypoints/{source}/{shard}.log",
    benchmark:
        "results/benchmarks/find_keypoints/{source}/{shard}.tsv"
    params:
        settings=CONFIG.keypoints.values(LandmarkSettings),
        code=script_code("find_keypoints.py"),
    threads: 2
    resources:
        mem="3GB",
        runtime="8h",
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/find_keypoints.py"
