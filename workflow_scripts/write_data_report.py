"""Stages 2 to 9 for reading: writes the data report."""

from pathlib import Path

from simhand.hand100m.frame_files import AnnotatedImages
from simhand.logs import job_log
from simhand.reporting.data_inputs import DataInputs, Pool, Shard
from simhand.reporting.data_report import write_data_report
from simhand.reporting.settings import ReportSettings

files, params = snakemake.input, snakemake.params
hands = {path.removeprefix("results/hands/").removesuffix(".parquet"): Path(path) for path in files.hands}
shards = [
    Shard(name.split("/")[0], Path(status), hands.get(name), *map(Path, tables))
    for name, status, *tables in zip(
        params.shards, files.status, files.balanced, files.crops, files.keypoints, strict=True
    )
]
pools = [
    Pool(**pool, neighbours=[Path(path) for path in files.neighbours if f"/pools/{pool['name']}/" in path],
         members=Path(members), pca=Path(pca), embeddings=Path(embeddings))
    for pool, members, pca, embeddings in zip(params.pools, files.members, files.pca, files.embeddings, strict=True)
]  # fmt: skip
annotated = {
    source: AnnotatedImages(Path(folder), Path(f"results/annotations/{source}.arrow"))
    for source, folder in params.images.items()
}
with job_log(snakemake.log[0]):
    inputs = DataInputs(shards, pools, Path("results/crops"), Path("results/frames"), annotated)
    write_data_report(inputs, ReportSettings(**params.settings), Path(snakemake.output[0]).parent)
