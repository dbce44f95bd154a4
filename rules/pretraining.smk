# Stage 10. Takes: a pool, its neighbours and crops. Gives: a pre-trained encoder in three forms. A run resumes from its own checkpoints,
# which lie beside its outputs in a folder that no rule declares.


rule pretrain:
    """One pre-training run: the encoder and the course of its loss."""
    input:
        members=run_members,
        neighbours=run_neighbours,
        crops=run_crops,
        weights=run_weights,
    output:
        encoder="results/pretraining/{run}/encoder.pt",
        official="results/pretraining/{run}/official.ckpt",
        exported="results/pretraining/{run}/encoder_exported.pt2",
        card="results/pretraining/{run}/card.json",
        pairs="results/pretraining/{run}/pairs.npz",
        metrics="results/pretraining/{run}/metrics.jsonl",
    log:
        "results/logs/pretrain/{run}.log",
    benchmark:
        "results/benchmarks/pretrain/{run}.tsv"
    params:
        settings=run_settings,
        starter=run_starter,
        execution=run_execution,
        initial=initial_option,
        checkpoints=subpath(output.encoder, parent=True),
        code=module_code("simhand.pretraining.__main__"),
    threads: run_threads
    resources:
        mem=run_memory,
        runtime="24h",
        gpu=run_gpus,
        cpus_per_gpu=run_cpus_per_gpu,
        gres=run_gres,
        nodes=run_nodes,
        tasks=run_nodes,
        tasks_per_gpu=0,
    conda:
        "../envs/gpu.yaml"
    shell:
        "{params.starter}python -m simhand.pretraining --settings {params.settings:q} --execution {params.execution:q} --members {input.members}"
        " --neighbours {input.neighbours} --crops results/crops {params.initial:q} --encoder {output.encoder}"
        " --metrics {output.metrics} --checkpoints {params.checkpoints}/checkpoints 2>&1 | tee -i {log}"
