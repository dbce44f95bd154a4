# simhand: from folders of videos to a table of 3D hand pose errors.
#
#   snakemake --cores 2 all                  here
#   snakemake --profile slurm all            on a cluster
#   snakemake --cores 2 all --configfile my.yaml


# 1. What to do: config.yaml, or the file named by --configfile in its place (not on top of it).
if not workflow.configfiles:

    configfile: "config.yaml"


# What `snakemake --report` begins with.
report: "rules/captions/workflow.rst"


# 2. The sources' videos, as they are now, and what follows from the configuration.
include: "rules/common.smk"
# What their jobs ask for.
include: "rules/resources.smk"
# 3. The stages, in the order of the data.
include: "rules/videos.smk"
include: "rules/frames.smk"
include: "rules/hands.smk"
include: "rules/keypoints.smk"
include: "rules/mining.smk"
include: "rules/hand100m.smk"
include: "rules/pretraining.smk"
include: "rules/finetuning.smk"
include: "rules/reporting.smk"
# Where they run.
include: "rules/slurm.smk"


onerror:
    print(AFTER_AN_ERROR)


# 4. What can be asked for.
localrules:
    all,
    data,
    pretrained,
    table1,
    table2,
    table3,
    table4,
    table5,
    figure4,


rule all:
    """The report, on one page. Without an experiment there are no errors in it, without runs no curves."""
    default_target: True
    input:
        "results/report/index.html",
        "results/report/paper/table1.md" if TABLE_1 else [],
        "results/report/data/index.html",
        expand("results/pretraining/{run}/encoder.pt", run=CONFIG.pretraining),


rule data:
    """The data half: every pool with its neighbours, and the data report."""
    input:
        all_neighbours(),
        "results/report/data/index.html",


rule pretrained:
    """Every pre-trained encoder."""
    input:
        expand("results/pretraining/{run}/encoder.pt", run=CONFIG.pretraining),


rule table1:
    """The paper's Table 1: methods, pools and labelled sets."""
    input:
        "results/report/paper/table1.md",


rule table2:
    """The paper's Table 2: sizes of pools, with few labels."""
    input:
        "results/report/paper/table2.md",


rule table3:
    """The paper's Table 3: adaptive weighting in each method."""
    input:
        "results/report/paper/table3.md",


rule table4:
    """The paper's Table 4: by rank of the similar hand."""
    input:
        "results/report/paper/table4.md",


rule table5:
    """The paper's Table 5: forms of the weights."""
    input:
        "results/report/paper/table5.md",


rule figure4:
    """The paper's Figure 4: shares of the labels."""
    input:
        "results/report/paper/figure4.md",
