# Takes: the tables of the data half; then the errors, predictions and curves of all models. Gives: the data report, and
# stage 12, the report, which holds it, and the paper's tables.


rule write_data_report:
    """From videos to pairs: counts, losses and their reasons, hands, distances, and a gallery of similar hands."""
    input:
        status=all_shards("results/frames/{source}/{shard}.status.parquet"),
        annotations=expand("results/annotations/{source}.arrow", source=ANNOTATED),
        hands=video_shards("results/hands/{source}/{shard}.parquet"),
        balanced=all_shards("results/balanced/{source}/{shard}.parquet"),
        crops=all_shards("results/crops/{source}/{shard}.arrow"),
        keypoints=all_shards("results/keypoints/{source}/{shard}.parquet"),
        members=expand("results/pools/{pool}/members.parquet", pool=CONFIG.pools),
        pca=expand("results/pools/{pool}/pca.npz", pool=CONFIG.pools),
        embeddings=expand("results/pools/{pool}/embeddings.npy", pool=CONFIG.pools),
        neighbours=all_neighbours(),
    output:
        report(
            "results/report/data/index.html",
            caption="captions/data.rst",
            category="Data",
            labels={"page": "the data report"},
        ),
        "results/report/data/sections.json",
        "results/report/data/funnel.parquet",
        "results/report/data/videos.parquet",
        "results/report/data/contacts.parquet",
        "results/report/data/histograms.parquet",
        "results/report/data/distances.parquet",
        "results/report/data/explained_variance.parquet",
        "results/report/data/chosen.parquet",
    log:
        "results/logs/write_data_report.log",
    benchmark:
        "results/benchmarks/write_data_report.tsv"
    params:
        settings=CONFIG.report.values(),
        shards=all_shards("{source}/{shard}"),
        pools=POOLS,
        images=ANNOTATED,
        code=page_code("write_data_report.py"),
    resources:
        mem=memory(500, mb_per=2, of=megabytes(*REPORTED_TABLES)),
        runtime=minutes(20, per=0.05, of=megabytes(*REPORTED_TABLES)),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/write_data_report.py"


rule draw_hands:
    """Predicted and true hands over images of one labelled set, with and without pre-training (paper: Figure 5)."""
    input:
        labels=labelled_files,
        metrics=drawn_metrics,
        predictions=drawn_predictions,
    output:
        report(
            "results/report/hands_{labelled}.png",
            caption="captions/hands.rst",
            category="Predicted hands",
            labels={"labelled set": "{labelled}"},
        ),
    log:
        "results/logs/draw_hands/{labelled}.log",
    benchmark:
        "results/benchmarks/draw_hands/{labelled}.tsv"
    params:
        results=drawn_results,
        folder=labelled_folder,
        cases=CONFIG.report.cases,
        code=script_code("draw_hands.py"),
    resources:
        mem=memory(300, mb_per=15, of=largest_megabytes("predictions")),
        runtime=minutes(20),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/draw_hands.py"


rule write_paper_table:
    """One of the paper's tables, its own figures beside ours."""
    input:
        metrics=paper_metrics,
        predictions=paper_predictions,
    output:
        report(
            "results/report/paper/{table,table[1-5]}.html",
            caption="captions/paper.rst",
            category="The paper's tables",
            labels={"table": "{table}"},
        ),
        "results/report/paper/{table,table[1-5]}.md",
        "results/report/paper/{table,table[1-5]}.csv",
    log:
        "results/logs/write_paper_table/{table}.log",
    benchmark:
        "results/benchmarks/write_paper_table/{table}.tsv"
    params:
        table=paper_values,
        code=page_code("write_paper_table.py"),
    resources:
        mem=memory(300, mb_per=15, of=largest_megabytes("predictions")),
        runtime=minutes(20, per=0.05, of=megabytes("predictions")),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/write_paper_table.py"


rule write_paper_figure:
    """The paper's Figure 4: errors by how many labels are trained on."""
    input:
        metrics=paper_metrics,
        predictions=paper_predictions,
    output:
        report(
            "results/report/paper/{table,figure4}.html",
            caption="captions/paper.rst",
            category="The paper's tables",
            labels={"table": "{table}"},
        ),
        "results/report/paper/{table,figure4}.md",
        "results/report/paper/{table,figure4}.csv",
        "results/report/paper/{table,figure4}.png",
    log:
        "results/logs/write_paper_figure/{table}.log",
    benchmark:
        "results/benchmarks/write_paper_figure/{table}.tsv"
    params:
        table=paper_values,
        code=page_code("write_paper_table.py"),
    resources:
        mem=memory(300, mb_per=15, of=largest_megabytes("predictions")),
        runtime=minutes(20, per=0.05, of=megabytes("predictions")),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/write_paper_table.py"


rule write_report:
    """All on one page: errors, the paper's first table, predicted hands, the data report, curves of training, pairs."""
    input:
        metrics=result_files(RESULTS, "metrics.json"),
        predictions=result_files(RESULTS, "predictions.parquet"),
        training=result_files(RESULTS, "training.jsonl"),
        runs=expand("results/pretraining/{run}/metrics.jsonl", run=reported_runs()),
        cards=expand("results/pretraining/{run}/card.json", run=reported_runs()),
        pairs=expand("results/pretraining/{run}/pairs.npz", run=reported_runs()),
        paper=cell_files(TABLE_1, "metrics.json") if TABLE_1 else [],
        paper_predictions=cell_files(TABLE_1, "predictions.parquet") if TABLE_1 else [],
        hands=hand_sheets(),
        data="results/report/data/sections.json",
    output:
        report(
            "results/report/index.html",
            caption="captions/report.rst",
            category="Report",
            labels={"page": "everything on one page"},
        ),
        (
            report(
                "results/report/table.csv",
                caption="captions/errors.rst",
                category="Report",
                labels={"page": "table of errors"},
            )
            if RESULTS
            else []
        ),
        "results/report/table.md" if RESULTS else [],
    log:
        "results/logs/write_report.log",
    benchmark:
        "results/benchmarks/write_report.tsv"
    params:
        settings=CONFIG.report.values(),
        results=RESULTS,
        runs=reported_runs(),
        table=TABLE_1.values() if TABLE_1 else None,
        no_table=NO_TABLE_1,
        code=page_code("write_report.py"),
    resources:
        mem=memory(
            500, mb_per=15, of=largest_megabytes("predictions", "paper_predictions")
        ),
        runtime=minutes(20, per=0.05, of=megabytes("predictions", "paper_predictions")),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/write_report.py"
