# Stages 3 to 5. Takes: a shard's frames. Gives: its hands, which of them stay, and their crops, all as right hands.


rule hand_model:
    """MediaPipe's hand model, made from the installed package or taken from `keypoints.model`, its content checked."""
    input:
        own=own_model,
    output:
        "results/models/hand_landmarker.task",
    log:
        "results/logs/hand_model.log",
    benchmark:
        "results/benchmarks/hand_model.tsv"
    params:
        sha256=CONFIG.keypoints.sha256,
        code=script_code("hand_model.py"),
    resources:
        mem=memory(100),
        runtime=minutes(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/hand_model.py"


if CONFIG.detection.detector == "mediapipe":

    rule detect_hands:
        """The hands that MediaPipe finds in one shard's frames: boxes, scores, sides."""
        input:
            frames="results/frames/{source}/{shard}.arrow",
            model="results/models/hand_landmarker.task",
        output:
            "results/hands/{source}/{shard}.parquet",
        log:
            "results/logs/detect_hands/{source}/{shard}.log",
        benchmark:
            "results/benchmarks/detect_hands/{source}/{shard}.tsv"
        params:
            settings=CONFIG.detection.values(MediaPipeSettings),
            code=script_code("detect_hands.py"),
        threads: 2
        resources:
            mem=memory(300, mb_per=1, of=megabytes("frames"), per_thread_mb=700),
            runtime=minutes(10, per=2, of=thousand_frames_a_worker),
        conda:
            "../envs/cpu.yaml"
        script:
            "../workflow_scripts/detect_hands.py"

else:

    rule hundred_doh_weights:
        """The 100DOH detector's weights, checked, out of its authors' file."""
        output:
            "results/models/hundred_doh.pt",
        log:
            "results/logs/hundred_doh_weights.log",
        benchmark:
            "results/benchmarks/hundred_doh_weights.tsv"
        params:
            weights=detection_weights,
            sha256=weights_sha256,
            code=script_code("hundred_doh_weights.py"),
        resources:
            mem=memory(3500),
            runtime=minutes(30),
        conda:
            "../envs/detection.yaml"
        script:
            "../workflow_scripts/hundred_doh_weights.py"

    rule detect_hands_hundred_doh:
        """The hands that the 100DOH detector finds in one shard's frames: boxes, scores, sides, and what they touch."""
        input:
            frames="results/frames/{source}/{shard}.arrow",
            weights="results/models/hundred_doh.pt",
        output:
            "results/hands/{source}/{shard}.parquet",
        log:
            "results/logs/detect_hands/{source}/{shard}.log",
        benchmark:
            "results/benchmarks/detect_hands/{source}/{shard}.tsv"
        params:
            settings=CONFIG.detection.values(HundredDohSettings),
            execution=detection_execution,
            code=script_code("detect_hands_hundred_doh.py"),
        threads: DETECTION_THREADS
        resources:
            mem=memory(500, mb_per=1, of=megabytes("frames"), per_thread_mb=4000),
            runtime=detection_minutes(),
            gpu=DETECTION_GPUS,
            cpus_per_gpu=DETECTION_CPUS_PER_GPU,
            nodes=1,
        conda:
            "../envs/detection.yaml"
        script:
            "../workflow_scripts/detect_hands_hundred_doh.py"


rule balance_hands:
    """Which hands of one shard stay: those that are wanted, as many left as right."""
    input:
        "results/hands/{source}/{shard}.parquet",
    output:
        "results/balanced/{source}/{shard}.parquet",
    log:
        "results/logs/balance_hands/{source}/{shard}.log",
    benchmark:
        "results/benchmarks/balance_hands/{source}/{shard}.tsv"
    params:
        settings=CONFIG.balance.values(),
        selection=CONFIG.selection.values(),
        code=script_code("balance_hands.py"),
    resources:
        mem=memory(300, mb_per=20, of=megabytes()),
        runtime=minutes(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/balance_hands.py"


rule crop_hands:
    """The squares around one shard's kept hands, left hands mirrored."""
    input:
        frames="results/frames/{source}/{shard}.arrow",
        hands="results/hands/{source}/{shard}.parquet",
        balanced="results/balanced/{source}/{shard}.parquet",
    output:
        "results/crops/{source}/{shard}.arrow",
    log:
        "results/logs/crop_hands/{source}/{shard}.log",
    benchmark:
        "results/benchmarks/crop_hands/{source}/{shard}.tsv"
    params:
        settings=CONFIG.crops.values(),
        code=script_code("crop_hands.py"),
    resources:
        mem=memory(300, mb_per=1, of=megabytes("frames")),
        runtime=minutes(10, per=1, of=thousand_frames),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/crop_hands.py"
