"""Decodes one video, in a process of its own: a decoder that crashes or hangs takes nothing else down.

    python -m simhand.frames.decode VIDEO FPS JPEG_QUALITY

writes the sampled frames as an Arrow stream (schema STREAM; its metadata holds fps and duration_s) to standard
output. It ends with 0, or with 1 and the reason as the last line of standard error; frames written before are good.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import decord
import numpy as np
import pyarrow as pa

from simhand.frames.images import encode_jpeg

STREAM = pa.schema([("frame_index", pa.int32()), ("timestamp_s", pa.float64()), ("jpeg", pa.binary())])
_BATCH = 8  # frames decoded at once: bounds the memory whatever the video's length


def sample_indices(starts_s: np.ndarray, end_s: float, fps: float) -> np.ndarray:
    """The frames on display at 0, 1/fps, 2/fps, ... seconds after the first, each once.

    Args:
        starts_s: (n,) ascending display times, n at least 1.
        end_s: when the last frame ends.
        fps: samples a second.

    Returns:
        int (m,), ascending; frames are not repeated where the video is slower than `fps`.
    """
    tolerance_s = 1e-3  # containers round times to milliseconds: a frame due at 1 s may say 1.0005
    count = max(int(np.ceil((end_s - starts_s[0] - tolerance_s) * fps)), 1)
    times_s = starts_s[0] + np.arange(count) / fps
    return np.unique(np.searchsorted(starts_s, times_s + tolerance_s, side="right") - 1)


def decode(path: str, fps: float, jpeg_quality: int, sink: pa.NativeFile) -> None:
    """Writes the frames of a video, sampled by time, to an Arrow stream."""
    with Path(path).open("rb"):  # says why a file cannot be opened; decord only says that it cannot
        reader = decord.VideoReader(path, num_threads=1)
    spans_s = reader.get_frame_timestamp(range(len(reader)))  # (n, 2): start, end
    starts_s, end_s = np.maximum.accumulate(spans_s[:, 0].astype(np.float64)), float(spans_s[-1, 1])
    meta = {"fps": str(reader.get_avg_fps()), "duration_s": str(end_s - starts_s[0])}
    indices = sample_indices(starts_s, end_s, fps)
    with pa.ipc.new_stream(sink, STREAM.with_metadata(meta)) as writer:
        for first in range(0, len(indices), _BATCH):
            chosen = indices[first : first + _BATCH]
            images = reader.get_batch(chosen.tolist()).asnumpy()
            jpegs = [encode_jpeg(image, jpeg_quality) for image in images]
            columns = [pa.array(chosen, pa.int32()), pa.array(starts_s[chosen]), pa.array(jpegs, pa.binary())]
            writer.write_batch(pa.record_batch(columns, schema=STREAM))


def main(path: str, fps: str, jpeg_quality: str) -> int:
    """The command line. Standard output is kept for the stream; what C libraries print goes to standard error."""
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    cv2.setNumThreads(1)
    decord.logging.set_level(decord.logging.QUIET)
    try:
        decode(path, float(fps), int(jpeg_quality), pa.PythonFile(stream, "w"))
    except (decord.DECORDError, OSError, ValueError) as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        sys.stderr.write(f"\n{reason}\n")
        return 1
    stream.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
