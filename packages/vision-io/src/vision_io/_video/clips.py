"""Clips of many files, decoded side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal, TypeVar

from vision_io._errors import DecodeError
from vision_io._video.decoder import VideoDecoder
from vision_io._video.pyav_open import Source, source_name

__all__ = ["decode_clips"]

T = TypeVar("T")


def decode_clips(
    sources: Iterable[Source],
    sampler: Callable[[VideoDecoder], T],
    *,
    threads: int | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    **settings: Any,
) -> list[T | None]:
    """Open each file, take from it what `sampler` asks for, and close it; several files at a time.

    Decoding and conversion run without Python's lock, so that this scales with the cores without worker processes.

    Args:
        sources: Paths, addresses, bytes or binary file objects.
        sampler: What to take, for example ``functools.partial(clips_at_random_indices, num_clips=4)``. It runs in
            several threads at once, in no particular order.
        threads: Files at a time; ``None``: as many as the process may use cores.
        on_error: ``"raise"``: the first file that fails, by its place, ends the call; ``"skip"``: its result is
            ``None``.
        **settings: For every :class:`VideoDecoder`: `layout`, `stream_index`, `limits`, ...

    Returns:
        One result per source, in their order.

    Raises:
        DecodeError: With ``on_error="raise"``: a file cannot be decoded; the text names it and its place.
        ValueError: An argument is out of its range.

    Examples:
        >>> from functools import partial
        >>> from vision_io.samplers import clips_at_regular_indices
        >>> sampler = partial(clips_at_regular_indices, num_clips=4, num_frames_per_clip=8)
        >>> clips = decode_clips(["a.mp4", "b.mp4"], sampler, threads=2)  # doctest: +SKIP
    """
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error: got {on_error!r}, expected 'raise' or 'skip'")
    if threads is not None and threads < 1:
        raise ValueError(f"threads: got {threads}, expected at least 1")

    def decode(source: Source) -> T:
        with VideoDecoder(source, **settings) as decoder:
            return sampler(decoder)

    workers = threads or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads or os.cpu_count()
    results: list[T | None] = []
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="decode_clips") as pool:
        pending: list[tuple[Source, Future[T]]] = [(source, pool.submit(decode, source)) for source in sources]
        for place, (source, future) in enumerate(pending):
            try:
                results.append(future.result())
            except DecodeError as error:
                if on_error == "skip":
                    results.append(None)
                    continue
                pool.shutdown(wait=False, cancel_futures=True)
                raise type(error)(f"source {place} ({source_name(source)}): {error}") from error
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    return results
