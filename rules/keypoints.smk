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
        mem=memory(300, mb_per=1, of=megabytes("frames", "crops"), per_thread_mb=700),
        runtime=minutes(10, per=4, of=thousand_frames_a_worker),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/find_keypoints.py"
