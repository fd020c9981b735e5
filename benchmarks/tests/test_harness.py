"""The harness against a clock that the candidates themselves move: every figure is known beforehand."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import harness, run
from benchmarks.harness import Candidate, race, show, table, write_json


@pytest.fixture
def work(monkeypatch):
    """``work(name, seconds)``: a candidate that takes exactly that long; ``work.calls`` lists the names in order."""

    class Work:
        def __init__(self):
            self.now = 0.0
            self.calls = []

        def __call__(self, name, *seconds):
            durations = list(seconds)

            def candidate():
                self.calls.append(name)
                self.now += durations[0] if len(durations) == 1 else durations.pop(0)

            return candidate

    clock = Work()
    monkeypatch.setattr(harness.time, "perf_counter", lambda: clock.now)
    return clock


def test_medians_and_ratios(work):
    result = race({"ours": work("ours", 0.25), "peer": work("peer", 0.5)}, repeat=5, threads=(1,), warmup=0, inner=1)
    ours, peer = result["threads"]["1"]["ours"], result["threads"]["1"]["peer"]
    assert result["first"] == "ours"
    assert (ours["median_ms"], ours["iqr_ms"], ours["ratio"]) == (250.0, 0.0, 1.0)
    assert (peer["median_ms"], peer["min_ms"], peer["ratio"]) == (500.0, 500.0, 2.0)


def test_the_ratio_is_paired(work):
    """A machine that slows down for both changes the medians, not the ratio."""
    result = race(
        {"ours": work("ours", 1.0, 1.0, 8.0), "peer": work("peer", 2.0, 2.0, 16.0)},
        repeat=3, threads=(1,), warmup=0, inner=1,
    )  # fmt: skip
    row = result["threads"]["1"]["peer"]
    assert (row["ratio"], row["ratio_q1"], row["ratio_q3"]) == (2.0, 2.0, 2.0)
    assert row["q3_ms"] == 9000.0


def test_rounds_are_interleaved_and_start_in_turns(work):
    race({"a": work("a", 1.0), "b": work("b", 1.0)}, repeat=3, threads=(1,), warmup=1, inner=1)
    assert "".join(work.calls) == "ab" + "ab" + "ba" + "ab"


def test_short_work_is_repeated_within_a_sample(work):
    result = race({"a": work("a", 2.0**-14)}, repeat=2, threads=(1,), warmup=0)
    row = result["threads"]["1"]["a"]
    assert row["inner"] == round(harness.SHORTEST_SAMPLE / 2.0**-14)
    assert row["median_ms"] == pytest.approx(2.0**-14 * 1e3)


def test_each_setting_reaches_torch_and_the_hook():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    seen, hooked = [], []
    candidate = Candidate(run=lambda: seen.append(torch.get_num_threads()), threads=lambda n: hooked.append(n))
    result = race({"ours": candidate}, repeat=1, threads=(1, 2), warmup=0, inner=1)
    assert hooked == [1, 2]
    assert seen == [1, 2]
    assert list(result["threads"]) == ["1", "2"]
    assert torch.get_num_threads() == before


def test_a_hook_may_return_what_is_timed(work):
    candidate = Candidate(run=work("never", 1.0), threads=lambda count: work(f"compiled for {count}", 1.0))
    race({"ours": candidate}, repeat=1, threads=(2,), warmup=0, inner=1)
    assert set(work.calls) == {"compiled for 2"}


@pytest.mark.parametrize("wrong", [{"repeat": 0}, {"threads": (0,)}, {"inner": 0}, {"warmup": -1}])
def test_counts_are_checked(wrong):
    with pytest.raises(ValueError, match="counts start at 1"):
        race({"a": lambda: None}, **wrong)
    with pytest.raises(ValueError, match="no candidates"):
        race({})


def test_the_file_says_where_it_comes_from(tmp_path, work, capsys):
    results = {"sum": race({"ours": work("ours", 1.0)}, repeat=1, threads=(1,), inner=1)}
    write_json(tmp_path / "deep" / "sum.json", results)
    document = json.loads((tmp_path / "deep" / "sum.json").read_text())
    assert document["results"] == results
    assert {"processor", "cores", "python", "versions", "date"} <= document["machine"].keys()
    pytest.importorskip("rich")
    assert table(results).row_count == 1
    show(results)
    assert "sum" in capsys.readouterr().err


BENCH = """\
from pathlib import Path
from benchmarks.harness import race, script, write_json

def main(out: Path) -> None:
    write_json(out, {"case": race({"ours": lambda: None}, repeat=1, threads=(1,))})

if __name__ == "__main__":
    script(main)
"""


def test_modules_are_found_run_and_gathered(tmp_path):
    folder = tmp_path / "packages" / "lens" / "benchmarks"
    folder.mkdir(parents=True)
    (folder / "bench_ops.py").write_text(BENCH)
    (folder / "bench_broken.py").write_text("raise SystemExit(3)")
    (folder / "bench_silent.py").write_text("")
    (folder / "notes.py").write_text("")
    modules = run.find_benchmarks(tmp_path, [])
    assert [module.name for module in modules] == ["bench_broken.py", "bench_ops.py", "bench_silent.py"]
    assert [module.name for module in run.find_benchmarks(tmp_path, ["ops"])] == ["bench_ops.py"]
    out = run.result_file(tmp_path / "results", modules[1])
    assert out == tmp_path / "results" / "lens" / "ops.json"
    ended = [run.run_module(Path(sys.executable), module, run.result_file(tmp_path, module)) for module in modules]
    assert ended == [False, True, False]
    assert json.loads((tmp_path / "lens" / "ops.json").read_text())["schema"] == harness.SCHEMA


def test_pins_are_the_versions_of_the_tree(tmp_path):
    about = tmp_path / "packages" / "lens" / "src" / "lens" / "__about__.py"
    about.parent.mkdir(parents=True)
    about.write_text('"""The version."""\n\n__version__ = "1.2.3"\n')
    assert run.our_pins(tmp_path) == ["lens==1.2.3"]
