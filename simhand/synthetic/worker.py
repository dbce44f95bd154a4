"""What a worker process does."""

from __future__ import annotations

from pathlib import Path

import cv2
import torch
from threadpoolctl import threadpool_limits

from simhand.synthetic import assemblyhands_recording, dexycb_recording
from simhand.synthetic.film import CASTS, render_film
from simhand.synthetic.labelled import render_person
from simhand.synthetic.settings import DemoSettings
from simhand.synthetic.tasks import Portraits, Recording, Task

_LAYOUTS = {"dexycb": dexycb_recording, "assemblyhands": assemblyhands_recording}


def render(task: Task, settings: DemoSettings, model: Path) -> None:
    """Renders one piece of a demo, on one thread: the processes share the cores, and sums come out the same."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    threadpool_limits(1)
    if isinstance(task, Portraits):
        render_person(model, task.seed, task.images, task.part, task.more)
    elif isinstance(task, Recording):
        _LAYOUTS[task.layout].render_recording(model, task)
    else:
        roles = () if task.cast is None else CASTS[task.cast % len(CASTS)]
        render_film(model, settings, task.seed, roles, video=task.video, truth=task.part)
