"""Checks the 100DOH detector's weights, and keeps those of its network alone."""

from simhand.hands.hundred_doh.weights import prepare_weights
from simhand.logs import job_log

with job_log(snakemake.log[0]):
    prepare_weights(snakemake.params.weights, snakemake.output[0], snakemake.params.sha256)
