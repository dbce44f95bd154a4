# Stage 10. Takes: a pool, its neighbours and crops. Gives: a pre-trained encoder. A run resumes from its own checkpoints,
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
        card="results/pretraining/{run}/card.json",
        metrics="results/pretraining/{run}/metrics.jsonl",
    log:
        "results/logs/pretrain/{run}.log",
    benchmark:
        "results/benchmarks/pretrain/{run}.tsv"
    params:
        settings=run_settings,
        checkpoints=subpath(output.encoder, parent=True),
        code=module_code("simhand.pretraining.__main__"),
    threads: 8
    resources:
        mem="16GB",
        runtime="24h",
        gpu=1,
    conda:
        "../envs/gpu.yaml"
    shell:
        "python -m simhand.pretraining --settings {params.settings:q} --members {input.members}"
        " --neighbours {input.neighbours} --crops results/crops --encoder {output.encoder}"
        " --metrics {output.metrics} --checkpoints {params.checkpoints}/checkpoints 2>&1 | tee -i {log}"
