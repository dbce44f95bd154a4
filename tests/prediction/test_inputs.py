"""Which files are taken, what their drawings are called, and how images are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from simhand.errors import InputError
from simhand.prediction.inputs import find_inputs, read_picture


def touch(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


def test_a_folder_gives_its_images_and_videos_by_name(tmp_path: Path) -> None:
    touch(tmp_path / "in", "b.MP4", "a.jpg", "c.txt", ".hidden.png", "d.webp", "e.gif", "a.pdf")
    (tmp_path / "in" / "folder.png").mkdir()
    found = find_inputs([tmp_path / "in"], tmp_path / "out")
    assert [(one.path.name, one.kind) for one in found] == [
        ("a.jpg", "image"),
        ("b.MP4", "video"),
        ("d.webp", "image"),
        ("e.gif", "video"),
    ]
    assert [one.drawn for one in found] == ["a_hands.jpg", "b_hands.mp4", "d_hands.jpg", "e_hands.mp4"]


def test_files_come_in_the_order_given_each_once(tmp_path: Path) -> None:
    paths = touch(tmp_path / "in", "z.png", "a.png", "film.dat")
    found = find_inputs([paths[0], paths[2], tmp_path / "in", paths[0]], tmp_path)
    assert [one.path.name for one in found] == ["z.png", "film.dat", "a.png"]
    assert found[1].kind == "video"


def test_no_two_drawings_have_one_name(tmp_path: Path) -> None:
    paths = [*touch(tmp_path / "1", "a.jpg", "a.png", "A.webp", "a.mp4"), *touch(tmp_path / "2", "a.jpg")]
    names = [one.drawn for one in find_inputs(paths, tmp_path)]
    assert names == ["a_hands.jpg", "a_hands-2.jpg", "A_hands-3.jpg", "a_hands.mp4", "a_hands-4.jpg"]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"(?s)no such file or folder.*nowhere\.jpg"):
        find_inputs([tmp_path / "nowhere.jpg"], tmp_path / "out")
    touch(tmp_path / "in", "a.txt")
    with pytest.raises(InputError, match="without images and videos"):
        find_inputs([tmp_path / "in"], tmp_path / "out")


def test_drawings_do_not_go_among_the_inputs(tmp_path: Path) -> None:
    touch(tmp_path / "in", "a.jpg")
    for paths in ([tmp_path / "in"], [tmp_path / "in" / "a.jpg"]):
        with pytest.raises(InputError, match="the output folder holds an input"):
            find_inputs(paths, tmp_path / "in" / ".." / "in")


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (image, file) = touch(tmp_path / "in", "a.jpg", "file")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for out in (file, file / "below", tmp_path / "dangling"):
        with pytest.raises(InputError, match="the output folder is a file"):
            find_inputs([image], out)


def test_an_output_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    """Nobody may write to /proc, nor, where there is none, to the root of the disk."""
    (image,) = touch(tmp_path / "in", "a.jpg")
    with pytest.raises(InputError, match=r"(?s)cannot write to the output folder.*/proc/new/out"):
        find_inputs([image], Path("/proc/new/out"))


def test_an_output_folder_is_tried_without_a_trace(tmp_path: Path) -> None:
    (image,) = touch(tmp_path / "in", "a.jpg")
    (tmp_path / "there").mkdir()
    for out in (tmp_path / "there", tmp_path / "new" / "folder"):
        find_inputs([image], out)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.jpg", "in", "there"]


def quarters() -> np.ndarray:
    """(40, 60, 3): 40, 80 over 120, 160."""
    return np.repeat(np.kron(np.array([[40, 80], [120, 160]]), np.ones((20, 30)))[..., None], 3, 2).astype(np.uint8)


# EXIF's orientation n, and what turns the stored picture into the one to be seen.
TURNS = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 6: lambda a: np.rot90(a, -1), 8: np.rot90}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_images_are_turned_as_their_exif_data_say(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(quarters()).save(tmp_path / f"a{suffix}", exif=exif, quality=100)
    np.testing.assert_allclose(read_picture(tmp_path / f"a{suffix}"), TURNS[orientation](quarters()), atol=3)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16"])
def test_images_of_all_kinds_become_rgb(tmp_path: Path, mode: str) -> None:
    grey = Image.fromarray(quarters())
    image = grey.quantize() if mode == "P" else grey.convert("RGB" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(quarters()[..., 0].astype(np.uint16) << 8)
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    image.save(path)
    np.testing.assert_allclose(read_picture(path), quarters(), atol=3)


@pytest.mark.parametrize("content", [b"", b"this is no image", None])
def test_a_damaged_image_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.png"
    if content is None:
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 50, 3), np.uint8)).save(path)
        content = path.read_bytes()[:2000]
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"(?s)cannot read an image.*a\.png"):
        read_picture(path)
