# Stage 11. Takes: an encoder (or none) and a labelled set. Gives: DetNet, its predictions on the evaluation images, and
# their errors.


rule finetune:
    """DetNet on one encoder, trained on one labelled set, and its predictions on the evaluation images."""
    input:
        labels=labelled_files,
        encoder=initial_encoder,
    output:
        model="results/finetuning/{labelled}/{run}/{percent}/{seed}/model.pt",
        metrics="results/finetuning/{labelled}/{run}/{percent}/{seed}/training.jsonl",
        predictions="results/finetuning/{labelled}/{run}/{percent}/{seed}/predictions.parquet",
    log:
        "results/logs/finetune/{labelled}/{run}/{percent}/{seed}.log",
    benchmark:
        "results/benchmarks/finetune/{labelled}/{run}/{percent}/{seed}.tsv"
    params:
        settings=CONFIG.finetuning.model_dump_json(exclude=FINETUNING_EXECUTION),
        starter=finetuning_starter,
        execution=finetuning_execution,
        folder=labelled_folder,
        format=labelled_format,
        read=labelled_read,
        encoder=encoder_or_none,
        checkpoints=subpath(output.model, parent=True),
        code=module_code("simhand.finetuning.__main__"),
    threads: FINETUNING_THREADS
    resources:
        mem=finetuning_memory,
        runtime="24h",
        gpu=FINETUNING_GPUS,
        cpus_per_gpu=FINETUNING_CPUS_PER_GPU,
        gres=node_gres(CONFIG.finetuning),
        nodes=CONFIG.finetuning.nodes,
        tasks=CONFIG.finetuning.nodes,
        tasks_per_gpu=0,
    conda:
        "../envs/gpu.yaml"
    shell:
        "{params.starter}python -m simhand.finetuning --settings {params.settings:q} --execution {params.execution:q}"
        " --labelled {params.folder:q} --format {params.format} --read {params.read:q}"
        " --initial-encoder {params.encoder:q} --fraction {wildcards.percent} --seed {wildcards.seed}"
        " --model {output.model} --metrics {output.metrics} --predictions {output.predictions}"
        " --checkpoints {params.checkpoints}/checkpoints 2>&1 | tee -i {log}"


rule evaluate:
    """The errors of one model's predictions."""
    input:
        "results/finetuning/{labelled}/{run}/{percent}/{seed}/predictions.parquet",
    output:
        "results/finetuning/{labelled}/{run}/{percent}/{seed}/metrics.json",
    log:
        "results/logs/evaluate/{labelled}/{run}/{percent}/{seed}.log",
    benchmark:
        "results/benchmarks/evaluate/{labelled}/{run}/{percent}/{seed}.tsv"
    params:
        code=script_code("evaluate.py"),
    resources:
        mem=memory(200, mb_per=10, of=megabytes()),
        runtime=minutes(10, per=0.05, of=megabytes()),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/evaluate.py"
