"""Files as their authors wrote them in 2020, damaged files, and files of others."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.models import resnet18

from simhand.errors import WeightsError
from simhand.hands.hundred_doh import weights
from simhand.hands.hundred_doh.weights import load_network, prepare_weights, read_weights
from tests.parity.closed_form import Shapes

FORMATS = pytest.mark.parametrize("zipped", [False, True], ids=["as in 2020", "zip"])


def checkpoint(model: dict[str, Tensor], **others: Any) -> dict[str, Any]:
    return {"session": 1, "epoch": 8, "model": model, "pooling_mode": "align", "class_agnostic": False, **others}


def light_state(shapes: Shapes, dtype: torch.dtype = torch.float32) -> OrderedDict[str, Tensor]:
    """Tensors of the right names and shapes that need no room: all their values are a half, counters 7."""
    counter, half = torch.tensor(7), torch.tensor(0.5, dtype=dtype)
    return OrderedDict((k, counter if k.endswith("tracked") else half.expand(shape)) for k, shape in shapes.items())


@pytest.fixture
def light(shapes: Shapes) -> OrderedDict[str, Tensor]:
    return light_state(shapes)


@pytest.fixture(scope="module")
def trained(state: dict[str, Tensor]) -> dict[str, Any]:
    """With what SGD remembers of the layers that the authors train."""
    frozen = ("RCNN_base.0.", "RCNN_base.1.", "RCNN_base.4.")
    layers = [key for key in state if state[key].is_floating_point() and not key.startswith(frozen)]
    parameters = [state[key].clone().requires_grad_() for key in layers if "bn" not in key and "running" not in key]
    optimizer = torch.optim.SGD([{"params": [p], "lr": 1e-3, "weight_decay": 1e-4} for p in parameters], momentum=0.9)
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, 0.01)
    optimizer.step()
    return checkpoint(OrderedDict(state), optimizer=optimizer.state_dict())


@pytest.fixture(scope="module", params=[False, True], ids=["as in 2020", "zip"])
def own(request: pytest.FixtureRequest, trained: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "faster_rcnn_1_8_132028.pth"
    torch.save(trained, path, _use_new_zipfile_serialization=request.param)
    return path


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def refusal(path: Path) -> str:
    """What is said of a file; all such messages tell which file is meant, where it is had, and what does without."""
    with pytest.raises(WeightsError) as caught:
        load_network(path)
    return checked(caught.value, path)


def checked(error: WeightsError, path: Path) -> str:
    message = str(error)
    for part in (str(path), "faster_rcnn_1_8_132028.pth", "https://github.com/ddshan/hand_object_detector"):
        assert part in message
    assert "detector: mediapipe" in message
    assert "weights_only" not in message  # PyTorch's advice
    assert "\x1b" not in message
    return message


def test_the_authors_file_is_taken_and_its_network_alone_kept(
    own: Path, state: dict[str, Tensor], tmp_path: Path
) -> None:
    prepared = tmp_path / "models" / "hundred_doh.pt"
    sha256 = hashlib.sha256(own.read_bytes()).hexdigest()
    prepare_weights(own, prepared, sha256.upper())
    assert prepared.stat().st_size < 0.6 * own.stat().st_size
    assert prepared.stat().st_size == pytest.approx(sum(t.numel() * t.element_size() for t in state.values()), rel=0.01)
    assert [path.name for path in prepared.parent.iterdir()] == ["hundred_doh.pt"]
    network = load_network(prepared)
    assert not network.training
    loaded = network.state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], state[key]) for key in state)
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())


def test_a_file_that_was_cut_is_refused_and_leaves_nothing(own: Path, tmp_path: Path) -> None:
    cut, prepared = tmp_path / "cut.pth", tmp_path / "hundred_doh.pt"
    with own.open("rb") as file:
        cut.write_bytes(file.read(own.stat().st_size // 2))
    assert "weights cannot be read" in refusal(cut)
    prepared.write_bytes(b"of before")
    with pytest.raises(WeightsError):
        prepare_weights(cut, prepared, None)
    assert prepared.read_bytes() == b"of before"
    for size in (20_000, 10_000, 1_000, 100, 21, 5, 1, 0):
        os.truncate(cut, size)
        assert "weights cannot be read" in refusal(cut)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.pth", "hundred_doh.pt"]


@FORMATS
def test_wherever_a_file_was_cut_it_is_refused(tmp_path: Path, zipped: bool) -> None:
    content = io.BytesIO()
    torch.save(checkpoint({"w": torch.ones(3)}), content, _use_new_zipfile_serialization=zipped)
    for size in range(len(content.getvalue())):
        (tmp_path / "cut.pth").write_bytes(content.getvalue()[:size])
        with pytest.raises(WeightsError, match="weights cannot be read"):
            read_weights(tmp_path / "cut.pth")


def test_an_interrupted_writer_leaves_nothing(
    light: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "own.pth", checkpoint(light))

    def fail(state: object, file: Path) -> None:
        Path(file).write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(weights.torch, "save", fail)
    with pytest.raises(OSError, match="no space left"):
        prepare_weights(path, tmp_path / "hundred_doh.pt", None)
    assert [path.name for path in tmp_path.iterdir()] == ["own.pth"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "no.pth", tmp_path):
        assert "weights are missing" in refusal(path)
    with pytest.raises(WeightsError) as caught:
        prepare_weights(tmp_path / "no.pth", tmp_path / "out.pt", "0" * 64)
    checked(caught.value, tmp_path / "no.pth")


@pytest.mark.parametrize(
    "content",
    [b"hello\n", b"<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title>", b"\x80\x02", b"PK\x03\x04" * 99],
    ids=["text", "page", "pickle", "zip"],
)
def test_what_is_no_file_of_weights(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(content)
    assert "weights cannot be read" in refusal(tmp_path / "weights.pth")


def test_the_content_is_checked_where_it_is_told(light: dict[str, Tensor], tmp_path: Path) -> None:
    path, out = saved(tmp_path / "own.pth", checkpoint(light)), tmp_path / "out.pt"
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(WeightsError) as caught:
        prepare_weights(path, out, "ab" * 32)
    message = checked(caught.value, path)
    assert "another content" in message
    assert sha256 in message
    assert "ab" * 32 in message
    assert not out.exists()
    prepare_weights(path, out, sha256.upper())
    assert out.exists()


def test_another_network(tmp_path: Path) -> None:
    state = resnet18(weights=None).state_dict()
    message = refusal(saved(tmp_path / "resnet18.pth", state))
    assert "the weights are those of another network" in message
    assert "of 642 tensors it lacks 538 (RCNN_base.0.weight, RCNN_base.1.bias, " in message  # and 104 counters
    assert f"has besides {len(state)} (bn1.bias, " in message


def test_a_key_that_is_missing_one_too_many_and_one_of_another_shape(light: dict[str, Tensor], tmp_path: Path) -> None:
    del light["RCNN_cls_score.bias"]
    light["mask_head.weight"] = torch.zeros(1)
    light["RCNN_rpn.RPN_Conv.weight"] = torch.zeros(512, 256, 3, 3)
    message = refusal(saved(tmp_path / "w.pth", checkpoint(light)))
    assert "lacks 1 (RCNN_cls_score.bias);" in message
    assert "has besides 1 (mask_head.weight);" in message
    assert "another shape of 1 (RCNN_rpn.RPN_Conv.weight (512, 256, 3, 3) instead of (512, 1024, 3, 3))" in message


def test_one_box_for_all_classes(light: dict[str, Tensor], tmp_path: Path) -> None:
    light |= {"RCNN_bbox_pred.weight": torch.zeros(4, 2048), "RCNN_bbox_pred.bias": torch.zeros(4)}
    message = refusal(saved(tmp_path / "w.pth", checkpoint(light, class_agnostic=True)))
    assert "RCNN_bbox_pred.weight (4, 2048) instead of (12, 2048)" in message


def test_another_pooling(light: dict[str, Tensor], tmp_path: Path) -> None:
    message = refusal(saved(tmp_path / "w.pth", checkpoint(light, pooling_mode="pool")))
    assert "pools regions by 'pool', not by 'align'" in message


@pytest.mark.parametrize("content", [[1, 2], {"model": 3}, {"model": {"a": 1}}, {"epoch": 1}, torch.zeros(3)])
def test_other_things_in_a_file(content: object, tmp_path: Path) -> None:
    assert "weights cannot be read" in refusal(saved(tmp_path / "w.pth", content))


def test_the_weights_alone_and_those_of_several_processes(light: dict[str, Tensor], tmp_path: Path) -> None:
    contents = (light, {f"module.{key}": tensor for key, tensor in light.items()})
    for content in (*contents, checkpoint(contents[1])):
        state = read_weights(saved(tmp_path / "w.pth", content))
        assert state.keys() == light.keys()
        assert all(torch.equal(state[key], light[key]) for key in light)


def test_counters_of_batches_may_be_absent(light: dict[str, Tensor], tmp_path: Path) -> None:
    older = {key: tensor for key, tensor in light.items() if not key.endswith("num_batches_tracked")}
    assert len(older) < len(light)
    loaded = load_network(saved(tmp_path / "w.pth", checkpoint(older))).state_dict()
    assert loaded.keys() == light.keys()
    for key, tensor in loaded.items():
        assert torch.equal(tensor, light[key] if key in older else torch.tensor(0))


def test_a_file_saved_on_a_gpu(
    light: OrderedDict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO()
    monkeypatch.setattr("torch.serialization.location_tag", lambda _: "cuda:0")
    torch.save(checkpoint(light), content, _use_new_zipfile_serialization=False)
    on_gpu = content.getvalue().replace(b"ctorch\nFloatStorage\n", b"ctorch.cuda\nFloatStorage\n")
    assert b"cuda:0" in on_gpu
    assert b"ctorch.cuda\n" in on_gpu
    (tmp_path / "w.pth").write_bytes(on_gpu)
    state = read_weights(tmp_path / "w.pth")
    assert state["RCNN_cls_score.bias"].tolist() == [0.5] * 3
    assert {tensor.device.type for tensor in state.values()} == {"cpu"}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_numbers_of_another_precision_become_float32(shapes: Shapes, dtype: torch.dtype, tmp_path: Path) -> None:
    state = light_state(shapes, dtype) | {"RCNN_cls_score.bias": torch.tensor([0.1, -2, 3], dtype=dtype)}
    network = load_network(saved(tmp_path / "w.pth", checkpoint(state)))
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert network.RCNN_base[1].running_var.dtype == torch.float32
    torch.testing.assert_close(network.RCNN_cls_score.bias.data, torch.tensor([0.1, -2, 3]), rtol=0.005, atol=0)
    answer = network.RCNN_cls_score(torch.zeros(1, 2048))
    torch.testing.assert_close(answer[0].detach(), network.RCNN_cls_score.bias.data)


ODD: dict[str, Callable[[], Tensor]] = {
    "sparse": lambda: torch.ones(512).to_sparse(),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(512), 0.1, 0, torch.qint8),
    "complex": lambda: torch.ones(512, dtype=torch.complex64),
    "bool": lambda: torch.ones(512, dtype=torch.bool),
    "meta": lambda: torch.ones(512, device="meta"),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.filterwarnings("ignore::UserWarning")  # quantised and sparse tensors are not what they were
def test_tensors_of_another_kind(light: dict[str, Tensor], kind: str, tmp_path: Path) -> None:
    torch.save(checkpoint({**light, "RCNN_rpn.RPN_Conv.bias": ODD[kind]()}), tmp_path / "odd.pth")
    assert "tensors of numbers alone" in refusal(tmp_path / "odd.pth")


def test_numbers_beyond_float32(light: dict[str, Tensor], tmp_path: Path) -> None:
    huge = torch.full((512,), 1e300, dtype=torch.float64)
    torch.save(checkpoint({**light, "RCNN_rpn.RPN_Conv.bias": huge}), tmp_path / "huge.pth")
    message = refusal(tmp_path / "huge.pth")
    assert "hold what is no number" in message
    assert "RCNN_rpn.RPN_Conv.bias" in message


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_no_numbers(light: dict[str, Tensor], value: float, tmp_path: Path) -> None:
    light |= {"RCNN_cls_score.bias": torch.tensor([0.1, value, 3]), "RCNN_bbox_pred.bias": torch.full((12,), value)}
    message = refusal(saved(tmp_path / "w.pth", checkpoint(light)))
    assert "hold what is no number" in message
    assert "RCNN_bbox_pred.bias, RCNN_cls_score.bias" in message


class _Attack:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.system, (f"touch {self.path}",)


@FORMATS
def test_no_code_in_a_file_is_run(light: dict[str, Tensor], tmp_path: Path, zipped: bool) -> None:
    trace = tmp_path / "trace"
    path = tmp_path / "w.pth"
    torch.save(checkpoint(light, optimizer=_Attack(trace)), path, _use_new_zipfile_serialization=zipped)
    message = refusal(path)
    assert "it holds posix.system, and only tensors and plain values are read" in message
    assert not trace.exists()
    pickle.loads(pickle.dumps(_Attack(trace)))  # it would have been run
    assert trace.exists()
