"""Tables of sensors: rows, windows, interpolation, and the line of what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vision_io import DecodeError
from vision_io.time_series import TimeSeries, read_time_series

TABLE = "stamp_ms, ax ,ay\n2000,1.5,-1\n1000,0.5,\n\n3000,2.5,7e2\n"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "imu.csv"
    path.write_text(TABLE)
    return path


def test_reading(table):
    series = read_time_series(table, time_column="stamp_ms", time_unit=1e-3)
    assert series.columns == ("ax", "ay")
    assert series.seconds.tolist() == [1.0, 2.0, 3.0]
    assert series.seconds.dtype == torch.float64
    np.testing.assert_array_equal(series.values, np.array([[0.5, np.nan], [1.5, -1], [2.5, 700]], np.float32))
    assert len(series) == 3
    assert repr(series) == "TimeSeries(3 rows of ax, ay, 1.000 s to 3.000 s)"


def test_choice_of_columns(table):
    assert read_time_series(table, columns=["ay"]).columns == ("ay",)
    assert read_time_series(table, columns=[-1, 1]).columns == ("ay", "ax")
    assert read_time_series(table, time_column=0, columns=[]).values.shape == (3, 0)


def test_tables_without_a_header(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("0.0\t1\n0.5\t3\n")
    series = read_time_series(path, delimiter="\t", header=False)
    assert series.columns == ("1",)
    assert series.values.tolist() == [[1.0], [3.0]]


def test_windows_and_interpolation():
    generator = np.random.default_rng(0)
    seconds = np.sort(generator.uniform(0, 10, 50))
    values = generator.normal(size=(50, 2)).astype(np.float32)
    series = TimeSeries(torch.from_numpy(seconds), torch.from_numpy(values), ("a", "b"))
    part = series.between(2.5, 7.25)
    inside = (seconds >= 2.5) & (seconds < 7.25)
    np.testing.assert_array_equal(part.seconds, seconds[inside])
    np.testing.assert_array_equal(part.values, values[inside])
    np.testing.assert_allclose(series.at(seconds), values, rtol=1e-6)
    middle = series.at([(seconds[3] + seconds[4]) / 2])
    np.testing.assert_allclose(middle[0], (values[3] + values[4]) / 2, rtol=1e-5)
    assert torch.equal(series.at(torch.tensor([-1.0, 99.0])), series.values[[0, -1]])
    assert len(series.between(20, 30)) == 0
    with pytest.raises(ValueError, match="start_seconds <= stop_seconds"):
        series.between(2, 1)
    with pytest.raises(ValueError, match="empty"):
        series.between(20, 30).at([1.0])


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("", {}, "empty"),
        ("t,x\n1,2\n3\n", {}, "line 3: 1 fields, expected 2"),
        ("t,x\n1,2\n3,many\n", {}, "line 3: x is 'many'"),
        ("t,x\n1,2\n,5\n", {}, "line 3: the time"),
        ("t,x\nnan,2\n", {}, "line 2: the time"),
        ("t,x\n1,2\n", {"time_column": "time"}, "no column 'time'; there are t, x"),
        ("t,x\n1,2\n", {"columns": [5]}, "no column 5"),
        ("t,x\n1,2\n3,4\n", {"max_rows": 1}, "max_rows"),
    ],
)
def test_damage_names_its_line(text, arguments, message, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(DecodeError, match=message):
        read_time_series(path, **arguments)


def test_files_that_are_no_text(tmp_path):
    with pytest.raises(DecodeError, match="cannot be read"):
        read_time_series(tmp_path / "none.csv")
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(DecodeError, match="cannot be read"):
        read_time_series(path)
