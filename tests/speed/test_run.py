"""The command that runs all benchmarks: what it finds, how it judges, and that a failure is not lost."""

from types import SimpleNamespace

import numpy as np
import pytest

from tests.speed import run


def line(step="IFD", ratio=9.0):
    return {
        "step": step,
        "rows": 2000,
        "reference_seconds": 9.0,
        "ours_seconds": 9.0 / ratio,
        "ratio": ratio,
        "note": "",
    }


@pytest.fixture
def benchmarks(monkeypatch):
    def fail(rows=2):
        raise RuntimeError("no such pool")

    found = {
        "good": SimpleNamespace(
            compare=lambda rows=2: [line(), line("ZIP, text", 20.0), line("other", 1.0)],
            growth=lambda sizes: [{"rows": size, "seconds": size / 100} for size in sizes],
        ),
        "steep": SimpleNamespace(growth=lambda sizes: [{"rows": size, "seconds": size**2 / 1e6} for size in sizes]),
        "broken": SimpleNamespace(compare=fail),
    }
    monkeypatch.setattr(run, "names", lambda: list(found))
    monkeypatch.setattr(run, "module", found.__getitem__)


def test_every_benchmark_is_found():
    assert {"ifd", "selectit", "less", "diverse_evol", "zip_compression", "kmeans"} <= set(run.names())
    assert "run" not in run.names()


@pytest.mark.parametrize("power", [0.0, 1.0, 1.1, 2.0])
def test_the_slope_is_the_power_of_the_rows(power):
    rows = [1_000, 3_000, 10_000]
    assert run.slope(rows, [2 * size**power for size in rows]) == pytest.approx(power, abs=1e-9)
    assert np.isnan(run.slope([1_000], [3.0]))


def test_ratios_and_slopes_are_judged_and_a_failure_leaves_the_others(benchmarks, capsys, tmp_path):
    assert run.main(["--sizes", "1000", "10000", "--output", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    said = "\n".join(text for text in printed.out.splitlines() if text.startswith(("good", "steep")))
    assert "at least 8: reached" in said and "at least 100: MISSED" in said
    assert "1.00  at most 1.1: reached  1,000: 10  10,000: 100" in said
    assert "2.00  at most 1.1: MISSED" in said
    assert "failed: broken (compare)" in printed.out and "no such pool" in printed.err
    assert (tmp_path / "compare.csv").read_text().count("\n") == 4
    assert (tmp_path / "growth.csv").read_text().count("\n") == 3


def test_only_what_is_asked_for_is_run_and_success_is_said(benchmarks, capsys):
    assert run.main(["--only", "good", "--sizes", "--rows", "3"]) == 0
    printed = capsys.readouterr().out
    assert "steep" not in printed and "slope" not in printed
    with pytest.raises(SystemExit):
        run.main(["--only", "unknown"])


def test_columns_stand_below_each_other():
    text = run.table([{"a": "x", "ratio": "1.0", "note": "one"}, {"a": "longer", "ratio": "10.0", "note": ""}])
    assert text.splitlines() == ["a       ratio  note", "------  -----", "x         1.0  one", "longer   10.0"]
