"""What differs between the releases of PyAV that are supported, 16 to 19."""

from __future__ import annotations

from typing import Any

__all__ = ["code_of", "colour_arguments", "major_version", "opening_arguments", "side_data"]

_BT709, _BT601 = 1, 5  # AVColorSpace, as SWS_CS_* counts
_LIMITED_RANGE, _FULL_RANGE = 1, 2  # AVColorRange


def major_version(av: Any) -> int:
    """First number of PyAV's version."""
    return int(str(av.__version__).partition(".")[0])


def code_of(value: Any) -> int:
    """FFmpeg's number behind an attribute: PyAV 18 gives integers where older ones give enumerations."""
    return int(getattr(value, "value", value) or 0)


def opening_arguments(av: Any, max_pixels: int) -> dict[str, Any]:
    """Arguments of ``av.open`` that make metadata which is not UTF-8 harmless, and bound what is decoded to probe.

    From 19 on such metadata always is. Options of codecs overrun memory up to 17.0, where streams turn up while reading
    (MPEG program streams).
    """
    bounds = {"options": {"max_pixels": str(max_pixels)}} if major_version(av) >= 18 else {}
    return bounds if major_version(av) >= 19 else {"metadata_errors": "replace", **bounds}


def colour_arguments(frame: Any) -> dict[str, int]:
    """Arguments of ``VideoReformatter.reformat`` that make RGB of a frame by its own matrix and range.

    PyAV 16 takes BT.601 of limited range unless source and destination are said to differ; later ones look at the
    frame.
    """
    import av

    if major_version(av) >= 17 or frame.format.is_rgb:
        return {}
    matrix = code_of(frame.colorspace)
    full = frame.format.name.startswith("yuvj") or code_of(frame.color_range) == _FULL_RANGE
    return {
        "src_colorspace": matrix,
        "dst_colorspace": _BT601 if matrix != _BT601 else _BT709,
        "src_color_range": _FULL_RANGE if full else _LIMITED_RANGE,
        "dst_color_range": _FULL_RANGE,
    }


def side_data(frame: Any, kind: str) -> Any | None:
    """What a frame has of one kind, or ``None``.

    Up to PyAV 17 nothing can be read from frames that also carry a kind which that release has no name for, such as the
    enhancement layers of LCEVC: these count as having none.
    """
    try:
        return frame.side_data.get(kind)
    except ValueError:
        return None
