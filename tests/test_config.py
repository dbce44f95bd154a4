from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from simhand.config import check_pool_sizes, check_videos_once, load_config
from simhand.errors import ConfigError
from simhand.finetuning.settings import LabelledSettings, ReadSettings
from simhand.videos.index import Video
from simhand.videos.settings import SOURCE_KINDS
from simhand.videos.sources import KINDS
from tests.conftest import ROOT


@pytest.fixture
def values(tmp_path: Path) -> dict[str, Any]:
    """The shipped config.yaml, its folders in a temporary place."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    (tmp_path / "videos").mkdir()
    for labelled in config["labelled"].values():
        labelled["path"] = str(tmp_path / Path(labelled["path"]).name)
        for path in LabelledSettings(**labelled).label_files():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    config["sources"]["demo"]["videos"] = str(tmp_path / "videos")
    return config


def changed(values: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    values = deepcopy(values)
    block = values
    *path, last = key.split(".")
    for part in path:
        block = block[part]
    if value is None:
        del block[last]
    else:
        block[last] = value
    return values


def test_the_shipped_configuration_is_right(values: dict[str, Any]) -> None:
    config = load_config(values)
    assert config.pretraining["simhand"].weighting == "linear"
    assert config.pretraining["simclr"].encoder == "resnet18"  # from defaults
    assert set(config.pretraining) == {"simclr", "peclr", "simhand"}


def test_the_configuration_in_the_readme_is_right(values: dict[str, Any]) -> None:
    snippet = yaml.safe_load((ROOT / "README.md").read_text().split("```yaml")[1].split("```")[0])
    snippet["sources"]["kitchen"]["videos"] = values["sources"]["demo"]["videos"]
    snippet["labelled"]["freihand"]["path"] = values["labelled"]["demo"]["path"]
    assert load_config(snippet).pools["kitchen"].neighbours == 10


def test_a_run_overrides_the_defaults(values: dict[str, Any]) -> None:
    config = load_config(changed(values, "pretraining.peclr.epochs", 99))
    assert (config.pretraining["peclr"].epochs, config.pretraining["simclr"].epochs) == (99, 10)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sampling.fsp", 2, ["unknown key sampling.fsp", "did you mean fps?"]),
        ("sampling.fps", "often", ["wrong value of sampling.fps", "expected: a number", "'often'"]),
        ("sampling.fps", 0, ["wrong value of sampling.fps", "greater than 0", "got:      0"]),
        ("samplig", {"fps": 1}, ["unknown key samplig", "did you mean sampling?"]),
        ("pools.demo.component", 14, ["unknown key pools.demo.component", "did you mean components?"]),
        ("pretraining.peclr.epoch", 14, ["unknown key pretraining.peclr.epoch", "did you mean epochs?"]),
        ("pretraining.defaults.epochs", "many", ["simclr.epochs (wrong too: pretraining.peclr.epochs, ", "'many'"]),
        ("pools.demo.sources", ["dmo"], ["pools.demo.sources", "dmo", "did you mean demo?"]),
        ("pretraining.peclr.pool", "all", ["pretraining.peclr.pool", "one of demo"]),
        ("experiment.runs", ["none", "sincere"], ["experiment.runs", "sincere", "simclr"]),
        ("encoders", {"imagenet": "no/such.pth"}, ["encoders.imagenet", "no such file", "no/such.pth"]),
        ("encoders", {"peclr": "config.yaml"}, ["encoders.peclr: this name is taken"]),
        ("detection", {"detector": "hundred_doh"}, ["needs the weights", "132028.pth", "ddshan", "mediapipe"]),
        (
            "detection",
            {"detector": "hundred_doh", "weights": "no/file.pth"},
            ["detection.weights: no such file", "got:      no/file.pth", "132028.pth", "mediapipe"],
        ),
        ("detection.weights", "w.pth", ["detection.weights are those of another", "hundred_doh, or no weights"]),
        ("detection", {"sha256": "abc"}, ["detection.sha256", "'abc'"]),
        ("selection", {"contact": ["none", "none"]}, ["selection.contact", "only once"]),
        ("selection", {"contact": ["object"]}, ["selection.contact.0", "'stationary'", "'object'"]),
        ("selection", {"contact": ["self"]}, ["selection.contact: mediapipe", "hint:     detector: hundred_doh"]),
        ("selection", {"min_score": 1.5}, ["selection.min_score", "less than or equal to 1"]),
        ("selection", {"min_box_px": -1}, ["selection.min_box_px", "greater than or equal to 0"]),
        ("selection", {"min_box_px": 60, "max_box_px": 50}, ["selection", "min_box_px 60 is larger than max"]),
        ("selection", {"min_size": 9}, ["unknown key selection.min_size", "min_box_px"]),
        ("finetuning.evaluation_crops", "peclr", ["middle of square images", "labelled.demo_assemblyhands"]),
        ("experiment.labelled", ["freihand"], ["experiment.labelled", "freihand"]),
        ("sources.demo.videos", "no/where", ["sources.demo.videos", "no such folder", "no/where"]),
        ("sources.demo.videos", "demo/none", ["no such folder", "make demo"]),
        ("sources.demo", {}, ["sources.demo: a source is of one kind", "videos, list, frames", "none of them"]),
        ("sources.demo.list", "x.txt", ["sources.demo", "exactly one of the keys", "videos and list", "hint:"]),
        ("sources.demo", {"list": "no.txt"}, ["sources.demo.list: no such file", "no.txt"]),
        ("sources.demo", {"list": "/"}, ["sources.demo.list: no such file"]),
        ("sources.demo", {"frames": "no/where"}, ["sources.demo.frames: no such folder", "no/where"]),
        ("sources.demo", {"frames": "/", "frame_rate": 0}, ["sources.demo.frame_rate", "greater than 0"]),
        ("sources.demo.frame_rate", 25, ["sources.demo.frame_rate belongs to extracted frames", "got:", "videos"]),
        ("sources.demo.video", "x", ["unknown key sources.demo.video", "did you mean videos?"]),
        ("experiment.seeds", [-1], ["experiment.seeds.0", "greater than or equal to 0", "-1"]),
        ("experiment.seeds", [0, 0], ["experiment.seeds", "only once"]),
        ("experiment.runs", ["none", "none"], ["experiment.runs", "only once"]),
        ("sampling.fps", float("inf"), ["sampling.fps", "finite"]),
        ("keypoints.square_scales", [-1.0], ["keypoints.square_scales.0", "greater than 0"]),
        ("keypoints.model", "no.task", ["keypoints.model", "no such file", "no.task"]),
        ("pretraining.peclr.initial", "no.pth", ["pretraining.peclr.initial", "no.pth"]),
        ("pretraining.peclr.initial", "run:simhan", ["pretraining.peclr.initial", "did you mean simhand?"]),
        ("pretraining.peclr.initial", "run:peclr", ["runs start from each other", "peclr from peclr"]),
        ("labelled.demo.path", "no/where", ["labelled.demo.path", "no/where"]),
        ("sources", None, ["key sources is missing"]),
        ("sources", {}, ["sources", "at least 1"]),
        ("sources", {"a/b": {"videos": "x"}}, ["sources.a/b", "pattern"]),
        ("pretraining.simhand.neighbour_rank", 11, ["neighbour_rank", "at most pools.demo.neighbours = 10", "11"]),
        ("pools.demo.further_ranks", [10], ["pools.demo", "further_ranks [10] must rise from beyond neighbours"]),
        ("pools.demo.similar", "annotated", ["pools.demo.similar", "without annotations", "demo"]),
        ("finetuning.encoder", "resnet50", ["pretraining.simclr.encoder", "resnet50", "resnet18"]),
        ("pretraining.none", {"method": "simclr"}, ["pretraining.none", "no pre-training"]),
        ("keypoints.sha256", "abc", ["keypoints.sha256", "abc"]),
        ("experiment.paper.methods.SimCLR", "simhand", ["methods.SimCLR is a run of another method", "method: simclr"]),
        ("experiment.paper.methods.SimCL", "simclr", ["experiment.paper.methods", "SimCL", "did you mean SimCLR?"]),
        ("experiment.paper.methods.PeCLR", "pclr", ["experiment.paper.methods", "pclr", "did you mean peclr?"]),
        ("experiment.paper.pools.Ego-1K", "demo", ["experiment.paper.pools", "one of Ego-50K", "Ego-1K"]),
        ("experiment.paper.pools.Exo-1M", "exo", ["experiment.paper.pools", "exo", "demo"]),
        ("experiment.paper.labelled.FreiHAND", "fh", ["experiment.paper.labelled", "one of demo", "fh"]),
        ("experiment.paper.labelled.FreiHand", "demo", ["experiment.paper.labelled", "did you mean FreiHAND?"]),
        ("experiment.paper.methods", None, ["key experiment.paper.methods is missing"]),
        ("experiment.paper.ranks", [5, 1], ["experiment.paper", "ranks [5, 1] must rise"]),
        ("experiment.paper.few_labels", 0, ["experiment.paper.few_labels", "greater than or equal to 1"]),
        ("experiment.label_percents", [0], ["experiment.label_percents.0", "got:      0"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named(values: dict[str, Any], key: str, value: Any, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(changed(values, key, value))
    for word in words:
        assert word in str(caught.value)


def test_hands_are_selected_by_contact_where_the_detector_tells_it(values: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "weights.pth").touch()
    chosen = changed(values, "selection", {"contact": ["portable", "none"], "min_box_px": 40, "max_box_px": 40})
    detection = {"detector": "hundred_doh", "weights": str(tmp_path / "weights.pth")}
    assert load_config(changed(chosen, "detection", detection)).selection.values() == {
        **{"contact": ["portable", "none"], "min_score": 0.0, "min_box_px": 40.0, "max_box_px": 40.0}
    }
    assert load_config(changed(values, "selection", None)).selection.contact == ()
    assert load_config(changed(values, "selection", {"contact": None})).selection.contact == ()
    one = changed(changed(values, "detection", detection), "selection", {"contact": "portable"})
    assert load_config(one).selection.contact == ("portable",)


def test_a_source_is_a_folder_of_videos_a_list_or_a_folder_of_frames(values: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "list.txt").touch()
    for kind, path in [("videos", tmp_path / "videos"), ("list", tmp_path / "list.txt"), ("frames", tmp_path)]:
        source = load_config(changed(values, "sources.demo", {kind: str(path)})).sources["demo"]
        assert (source.kind, source.path, source.frame_rate) == (kind, path, 30.0)
    source = load_config(changed(values, "sources.demo", {"frames": str(tmp_path), "frame_rate": 29.97})).sources[
        "demo"
    ]
    assert source.frame_rate == 29.97


def test_two_sources_of_a_pool_have_videos_of_their_own(values: dict[str, Any], tmp_path: Path) -> None:
    """Or each hand would be the most similar hand of its own copy."""
    (tmp_path / "link").symlink_to(tmp_path / "videos")
    sources = {name: {"videos": str(tmp_path / name)} for name in ("videos", "link")}
    twice = changed(changed(values, "sources", sources), "pools.demo.sources", list(sources))
    with pytest.raises(ConfigError, match=r"(?s)pools\.demo\.sources: two sources.*videos and link"):
        load_config(twice)


def test_every_kind_of_source_but_annotations_has_videos_to_look_at() -> None:
    assert set(SOURCE_KINDS) == {*KINDS, "annotations"}


def test_a_labelled_folder_without_labels_is_named(values: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "labelled" / "evaluation_xyz.json").unlink()
    with pytest.raises(ConfigError, match=r"(?s)labelled.demo.path.*evaluation_xyz.json"):
        load_config(values)


def test_labelled_sets_that_nothing_is_trained_on_need_not_be_there(values: dict[str, Any]) -> None:
    sets = {**values["labelled"], "absent": {"format": "dexycb", "path": "no/where"}}
    config = load_config(changed(values, "labelled", sets))
    assert config.labelled["absent"].format == "dexycb"
    with pytest.raises(ConfigError, match=r"labelled\.absent\.path: no such folder"):
        load_config(changed(changed(values, "labelled", sets), "experiment.labelled", ["demo", "absent"]))


@pytest.mark.parametrize(
    ("layout", "part"),
    [
        ("freihand", {"backgrounds": ["gs", "auto"]}),
        ("dexycb", {"setup": "s0"}),
        ("assemblyhands", {"evaluation_split": "val"}),
    ],
)
def test_what_part_of_a_labelled_set_is_read(tmp_path: Path, layout: Any, part: dict[str, Any]) -> None:
    labelled = LabelledSettings(format=layout, path=tmp_path, **part)
    expected = ReadSettings(behaviour="official", **part)
    assert labelled.reading("official") == expected
    assert labelled.reading("paper").behaviour == "paper"


def test_keys_of_another_layout_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigError, match=r"(?s)labelled\.demo.*setup: no key of format freihand, which knows backgrounds"
    ):
        load_config(changed(values, "labelled.demo.setup", "s0"))
    with pytest.raises(ConfigError, match=r"(?s)unknown key labelled\.demo\.behaviour"):
        load_config(changed(values, "labelled.demo.behaviour", "official"))


def test_label_files_of_each_layout(tmp_path: Path) -> None:
    """Those of DexYCB are found; where there are none, one of each kind is named."""
    annotations = LabelledSettings(format="assemblyhands", path=tmp_path, evaluation_split="val").label_files()
    assert [path.relative_to(tmp_path / "annotations").as_posix() for path in annotations] == [
        f"{part}/assemblyhands_{part}_{kind}_v1-1.json"
        for part in ("train", "val")
        for kind in ("ego_data", "ego_calib", "joint_3d")
    ]
    dexycb = LabelledSettings(format="dexycb", path=tmp_path)
    assert [path.name for path in dexycb.label_files()] == ["836212060125_640x480.yml", "meta.yml"]
    names = ["calibration/intrinsics/1_640x480.yml", *(f"20200709-subject-01/{i}/meta.yml" for i in (1, 2))]
    for name in [*names, "models/meta.yml"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert dexycb.label_files() == [tmp_path / name for name in names]


@pytest.mark.parametrize("document", [None, [], "text", {"sources": 3}])
def test_a_file_that_is_no_configuration_is_refused(document: Any) -> None:
    with pytest.raises(ConfigError):
        load_config(document)


def video(duration_s: float) -> Video:
    return Video("a.mp4", "a.mp4", 1, 1, "f", duration_s)


def test_a_pool_larger_than_its_sources_is_refused_before_any_job(values: dict[str, Any]) -> None:
    config = load_config(changed(values, "pools.demo.size", 1000))
    check_pool_sizes(config, {"demo": [video(300.0), video(0.0)]})
    with pytest.raises(ConfigError, match=r"(?s)pools.demo.size is larger.*at most 48: 4 hands.*1000"):
        check_pool_sizes(config, {"demo": [video(10.0), video(0.0)]})


def test_a_video_that_does_not_state_its_duration_sets_no_bound(values: dict[str, Any]) -> None:
    check_pool_sizes(load_config(changed(values, "pools.demo.size", 10**6)), {"demo": [video(-1.0)]})


def test_a_rank_beyond_k_can_be_mined_alone(values: dict[str, Any]) -> None:
    far = changed(changed(values, "pretraining.simhand.neighbour_rank", 5000), "pools.demo.further_ranks", [100, 5000])
    assert load_config(far).pools["demo"].ranks() == (*range(1, 11), 100, 5000)
    with pytest.raises(ConfigError, match=r"(?s)neighbour_rank is not mined.*further_ranks \[100\].*got:      5000"):
        load_config(changed(far, "pools.demo.further_ranks", [100]))


def test_a_methods_run_has_the_encoder_that_is_fine_tuned(values: dict[str, Any]) -> None:
    """Though nothing is fine-tuned from the run itself: others are made from its settings."""
    alone = changed(changed(values, "experiment.runs", ["none"]), "pretraining.peclr.encoder", "resnet34")
    with pytest.raises(ConfigError, match=r"pretraining\.peclr\.encoder is not the encoder that is fine-tuned"):
        load_config(alone)
    assert load_config(changed(alone, "experiment.paper", None)).for_paper is None


def test_an_encoder_from_elsewhere_is_compared_like_a_run(values: dict[str, Any]) -> None:
    given = changed(values, "encoders", {"imagenet": "config.yaml"})
    assert (
        load_config(changed(given, "experiment.runs", ["none", "imagenet"])).encoders["imagenet"].name == "config.yaml"
    )
    with pytest.raises(ConfigError, match=r"(?s)experiment\.runs.*imagenet"):
        load_config(changed(given, "experiment.runs", ["imagenett"]))


def test_a_run_of_the_name_of_one_that_a_table_needs(values: dict[str, Any]) -> None:
    key, run = "pretraining.simhand-demo-half", {"method": "simhand", "weighting": "linear"}
    taken = changed(values, key, {**run, "pool": "demo-half", "seed": 1})
    with pytest.raises(ConfigError, match=r"needs a run of the name simhand-demo-half, which is another run's"):
        load_config(taken)
    same = changed(values, key, {**run, "pool": "demo-half"})
    assert "simhand-demo-half" in load_config(same).pretraining


def test_annotations_need_images_and_stand_alone(values: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "released.json").write_text("{}")
    source = {"annotations": str(tmp_path / "released.json"), "images": str(tmp_path)}
    assert load_config(changed(values, "sources.released", source)).sources["released"].kind == "annotations"
    for wrong, words in (
        ({"annotations": source["annotations"]}, "annotations and images belong together"),
        ({"videos": str(tmp_path), "images": str(tmp_path)}, "annotations and images belong together"),
        ({**source, "images": str(tmp_path / "none")}, "sources.released.images: no such folder"),
        ({**source, "annotations": str(tmp_path / "none.json")}, "sources.released.annotations: no such file"),
        ({**source, "videos": str(tmp_path)}, "a source is of one kind"),
    ):
        with pytest.raises(ConfigError, match=words):
            load_config(changed(values, "sources.released", wrong))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("sampling.fps", "fast", "a number"),
        ("pools.demo.neighbours", 2.5, "a whole number"),
        ("balance.enabled", "perhaps", "true or false"),
        ("sources.demo.videos", 5, "a path"),
        ("pools.demo.sources", "demo", "a list"),
        ("sampling", ["fps"], "keys with values"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_in_plain_words(
    values: dict[str, Any], key: str, value: Any, expected: str
) -> None:
    with pytest.raises(ConfigError) as told:
        load_config(changed(values, key, value))
    assert f"wrong value of {key}" in str(told.value)
    assert f"expected: {expected}\n" in str(told.value)


@pytest.mark.parametrize("place", ["videos/../videos/day1", "link"])
def test_a_folder_and_a_folder_in_it_are_no_two_sources_of_a_pool(
    values: dict[str, Any], tmp_path: Path, place: str
) -> None:
    (tmp_path / "link").symlink_to("videos/day1")
    inner = tmp_path / "videos" / "day1"
    inner.mkdir()
    sources = {"whole": {"videos": str(tmp_path / "videos")}, "part": {"videos": str(inner)}}
    sources |= values["sources"]
    config = load_config(changed(changed(values, "sources", sources), "pools.demo.sources", ["whole", "part"]))
    videos = {
        "whole": [
            Video("day1/a.mp4", f"{inner}/a.mp4", 1, 0, "", 1.0),
            Video("b.mp4", f"{tmp_path}/b.mp4", 1, 0, "", 1.0),
        ],
        "part": [Video("a.mp4", f"{tmp_path}/{place}/a.mp4", 1, 0, "", 1.0)],
    }
    with pytest.raises(ConfigError, match=r"(?s)two sources of a pool have the same video.*in whole and in part"):
        check_videos_once(config, videos)
    check_videos_once(config, {**videos, "part": []})
