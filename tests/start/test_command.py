from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from simhand.__main__ import main
from simhand.config import Config, load_config
from tests.conftest import WriteVideo


def written(path: Path) -> Config:
    return load_config(yaml.safe_load(path.read_text()))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_video: WriteVideo) -> Path:
    """A folder with a folder of videos, and with the label files of FreiHAND."""
    write_video(tmp_path / "My: Kitchen" / "a.mp4", [i / 2 for i in range(20)])
    write_video(tmp_path / "My: Kitchen" / "b.mp4", [i / 2 for i in range(20)], shade=9)
    for name in ("training_K", "training_xyz", "evaluation_K", "evaluation_xyz"):
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "labels" / f"{name}.json").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_written_loads_and_says_what_was_found(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "My: Kitchen", "labels", "--gpus", "4"]) == 0
    config = written(here / "config.yaml")
    source = config.sources["my-kitchen"]
    assert (source.videos, source.shards) == (Path("My: Kitchen"), 2)
    run = config.pretraining["simhand"]
    assert (run.processes, run.encoder, run.batch_size % 4) == (4, "resnet50", 0)
    assert config.experiment.runs == ("none", "simhand")
    assert config.labelled["freihand"].path == Path("labels")
    text = (here / "config.yaml").read_text()
    assert "# a folder of videos: 2, 0.3 minutes" in text
    assert max(map(len, text.splitlines())) <= 120
    assert config.pools.keys() == {"my-kitchen"}
    assert run.pool == "my-kitchen"
    assert "  simhand why  " in capsys.readouterr().out


def test_without_labels_there_is_nothing_to_compare(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "My: Kitchen", "--gpus", "0", "--out", "new/my.yaml"]) == 0
    config = written(here / "new" / "my.yaml")
    assert not config.experiment.runs
    assert config.pretraining["simhand"].encoder == "resnet18"
    uncommented = (here / "new" / "my.yaml").read_text().split("uncomment:\n")[1].replace("# ", "")
    assert yaml.safe_load(uncommented)["finetuning"] == {"encoder": "resnet18"}
    assert "--configfile new/my.yaml" in capsys.readouterr().out


def test_annotations_come_with_their_images(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "hands.json").write_text('{"images": []}')
    assert main(["init", "hands.json"]) == 1
    assert "--images /data/ego4d_frames" in capsys.readouterr().err
    assert main(["init", "hands.json", "--images", "labels"]) == 0
    config = written(here / "config.yaml")
    assert config.sources["hands"].images == Path("labels")
    assert config.pools["released"].similar == "annotated"


def test_nothing_is_overwritten_unless_asked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text("mine")
    assert main(["init", "My: Kitchen"]) == 1
    assert "simhand: the file exists\n  where:    config.yaml\n  hint:     --out my.yaml" in capsys.readouterr().err
    assert (here / "config.yaml").read_text() == "mine"
    assert main(["init", "My: Kitchen", "--force"]) == 0
    assert main(["init", "My: Kitchen", "--out", "my.yaml"]) == 0
    assert main(["init", "My: Kitchen", "--out", "my.yaml"]) == 1
    assert "hint:     --out other.yaml" in capsys.readouterr().err
    assert written(here / "config.yaml").sources


def test_labels_alone_make_no_chain(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "labels"]) == 1
    assert "no source of hands is named" in capsys.readouterr().err
    assert not (here / "config.yaml").exists()


@pytest.mark.parametrize(
    "name", ["2024", "on", "No", "null", "1e5", "0x10", "1_000", "2024-05-01", "007", "手", "a #b", "it's", "- x"]
)
def test_folders_may_have_any_name(here: Path, name: str) -> None:
    (here / "My: Kitchen").rename(here / name)
    assert main(["init", f"./{name}", "--out", "my file.yaml"]) == 0
    (source,) = written(here / "my file.yaml").sources.values()
    assert source.videos == Path(name)


def test_the_next_commands_can_be_pasted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "My: Kitchen", "--out", "my file.yaml"]) == 0
    assert "doctor --configfile 'my file.yaml' " in capsys.readouterr().out


def test_folders_of_one_name_get_two(here: Path) -> None:
    (here / "other").mkdir()
    (here / "other" / "my_kitchen").mkdir()
    (here / "other" / "my_kitchen" / "c.mp4").hardlink_to(here / "My: Kitchen" / "a.mp4")
    assert main(["init", "My: Kitchen", "other/my_kitchen"]) == 0
    config = written(here / "config.yaml")
    assert list(config.sources) == ["my-kitchen", "my-kitchen-2"]
    assert config.pools["all"].sources == ("my-kitchen", "my-kitchen-2")


def test_results_of_the_same_names_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "results" / "pretraining" / "simhand").mkdir(parents=True)
    assert main(["init", "My: Kitchen"]) == 0
    told = capsys.readouterr().out
    assert "this configuration would replace them: results/pretraining/simhand.\n" in told
    assert "Keep it in a checkout of its own" in told
