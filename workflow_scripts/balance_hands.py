"""Stage 4: chooses the hands of one shard that stay, as many left as right."""

from simhand.hands.balance import balance_shard
from simhand.hands.settings import BalanceSettings, SelectionSettings
from simhand.logs import job_log

settings, selection = snakemake.params.settings, snakemake.params.selection
with job_log(snakemake.log[0]):
    balance_shard(snakemake.input[0], snakemake.output[0], BalanceSettings(**settings), SelectionSettings(**selection))
