"""Published runs: every bit comes back, results/ goes first, damage is named, the same lines are the same bytes."""

import json
import re
import warnings

import numpy as np
import pytest

from analysis.paths import PUBLISHED
from analysis.store import published, publishing
from analysis.store.published import Published, log, packed, read, unpacked
from analysis.store.publishing import publish
from analysis.store.store import Store

GROUPS = ["arithmetic-forum", "arithmetic-primer"] * 300
WRONG = np.random.default_rng(1).normal(size=600)


def save_run(store: Store, key: str, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    store.save_arrays(
        "runs", key, rows=rng.choice(5000, 500, replace=False),
        items_0=(rng.random(600) < 0.4).astype(np.float32), items_1=rng.normal(size=600).astype(np.float32),
    )  # fmt: skip
    benchmarks = [
        {"name": "accuracy", "unit": "share", "groups": GROUPS},
        {"name": "loss", "unit": "nats", "groups": GROUPS},
    ]
    store.save_record("runs", key, {"tokens": 7, "seconds": 2.5, "made": 1e9 + seed, "benchmarks": benchmarks})


def ask(store: Store, report: str, keys, kind: str = "runs", **described) -> None:
    path = store.root / "asked" / "full" / f"{report}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"runs": {}, "selections": {}} | {kind: dict.fromkeys(keys, described)}))


@pytest.fixture
def store(tmp_path):
    read.cache_clear()
    log.clear()
    return Store(tmp_path / "results")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs"


def fresh(tmp_path, folder) -> Store:
    """A clone: nothing in its results."""
    return Store(tmp_path / "nothing", Published(folder))


@pytest.mark.parametrize(
    "array, packing",
    [
        (np.array([0, 1, 1, 0, 1, 0, 0, 0, 1], dtype=np.float32), "bits"),
        (np.array([0.5, np.nan, 1.0]), "<f2"),
        (np.array([-0.0, 1.0]), "<f2"),  # minus zero is no bit
        (np.array([1 / 3], dtype=np.float32), "<f4"),
        (np.array([1e30, 0.1], dtype=np.float64), "<f8"),
        (np.array([0.1, np.inf], dtype=np.float32).astype(np.float64), "<f4"),
        (np.array([3, 70_000]), "<i4"),
        (np.array([3, 2**40]), "<i8"),
        (np.zeros(0, dtype=np.int64), "bits"),
        (np.array([[True, False], [False, True]]), "bits"),
    ],
)
def test_an_array_comes_back_bit_by_bit_from_few_bytes(array, packing):
    one = packed(array)
    found = unpacked(one)
    assert one["packing"] == packing and found.dtype == array.dtype and found.shape == array.shape
    assert found.tobytes() == array.tobytes()


def test_runs_and_selections_come_back_where_results_has_nothing(tmp_path, store, folder):
    save_run(store, "aa")
    store.save_arrays("selections", "bb", rows=np.arange(3), scores=np.array([0.1, np.nan, 1 / 3]))
    store.save_record("selections", "bb", {"excluded": {"too long": 1}, "seconds": 3.0})
    ask(store, "30", ["aa"], method="kmeans", budget=500)
    ask(store, "12", ["bb"], "selections")
    count = publish("full", store, folder)
    assert (count.lines, count.added, count.missing, count.unasked) == (2, 2, 0, 0)
    clone = fresh(tmp_path, folder)
    for kind, key in (("runs", "aa"), ("selections", "bb")):
        assert clone.record(kind, key) == store.record(kind, key)
        was, found = store.arrays(kind, key), clone.arrays(kind, key)
        assert found.keys() == was.keys()
        assert all(
            found[name].tobytes() == was[name].tobytes() and found[name].dtype == was[name].dtype for name in was
        )
    assert clone.record("runs", "bb") is None and clone.arrays("runs", "other code") is None
    assert not clone.root.exists()
    line = read(folder / "full.parquet").to_pylist()[0]
    assert (line["method"], line["budget"], line["reports"]) == ("kmeans", 500, ["30"])
    assert json.loads(line["scores"])["accuracy"] == store.arrays("runs", "aa")["items_0"].mean()


def test_what_results_has_goes_first(tmp_path, store, folder):
    save_run(store, "aa")
    ask(store, "30", ["aa"])
    publish("full", store, folder)
    save_run(store, "aa", seed=5)
    here = Store(store.root, Published(folder))
    assert here.record("runs", "aa")["made"] == 1e9 + 5 and not log.made["runs"]
    assert here.arrays("runs", "aa")["rows"].tolist() == Store(store.root).arrays("runs", "aa")["rows"].tolist()
    fresh(tmp_path, folder).record("runs", "aa")
    assert log.made["runs"] == {"aa": 1e9}


def test_pieces_add_up_and_the_same_pieces_are_the_same_bytes(tmp_path, store, folder):
    save_run(store, "bb", 1)
    ask(store, "30", ["bb", "cc"])
    assert publish("full", store, folder).missing == 1
    other = Store(tmp_path / "another machine")
    save_run(other, "aa", 2)
    ask(other, "33", ["aa", "bb"])
    count = publish("full", other, folder)
    assert (count.lines, count.added, count.missing, count.unasked) == (2, 1, 0, 0)
    lines = read(folder / "full.parquet").to_pylist()
    assert [(line["key"], line["reports"]) for line in lines] == [("aa", ["33"]), ("bb", ["30", "33"])]
    content = (folder / "full.parquet").read_bytes()
    assert publish("full", other, folder).added == 0
    assert (folder / "full.parquet").read_bytes() == content
    ask(other, "33", ["aa"])
    assert publish("full", other, folder).unasked == 1
    assert publish("full", other, folder, afresh=True).lines == 1
    assert read(folder / "full.parquet").to_pylist()[0]["reports"] == ["33"]
    with pytest.raises(FileNotFoundError, match="'quick'"):
        publish("quick", other, folder)


def test_a_selection_that_another_file_holds_is_published_with_its_own_date(tmp_path, store, folder):
    store.save_arrays("selections", "bb", rows=np.arange(3))
    store.save_record("selections", "bb", {"excluded": {}, "seconds": 3.0})
    ask(store, "12", ["bb"], "selections")
    publish("full", store, folder)
    (made,) = read(folder / "full.parquet")["made"].to_pylist()
    clone = fresh(tmp_path, folder)
    ask(clone, "12", ["bb"], "selections")
    assert publish("full", clone, tmp_path / "own").added == 1
    assert read(tmp_path / "own" / "full.parquet")["made"].to_pylist() == [made]


def test_what_is_published_while_another_process_reads_moves_no_line_of_it(tmp_path, store, folder):
    save_run(store, "bb", 1)
    save_run(store, "aa", 2)
    ask(store, "30", ["bb"])
    publish("full", store, folder)
    reader = Published(folder)
    assert reader.record("runs", "aa") is None
    ask(store, "30", ["aa", "bb"])
    publish("full", store, folder)  # the line of bb is the second now
    assert reader.record("runs", "bb")["made"] == 1e9 + 1
    assert reader.arrays("runs", "bb")["rows"].tolist() == store.arrays("runs", "bb")["rows"].tolist()
    ask(store, "30", ["aa"])
    publish("full", store, folder, afresh=True)
    assert reader.record("runs", "bb") is None and reader.record("runs", "aa")["made"] == 1e9 + 2


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_damaged_file_is_named_and_counts_as_absent(tmp_path, store, folder, share):
    save_run(store, "aa")
    ask(store, "30", ["aa"])
    publish("full", store, folder)
    path = folder / "full.parquet"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    read.cache_clear()
    clone = fresh(tmp_path, folder)
    with pytest.warns(UserWarning, match="full.parquet"):
        assert clone.record("runs", "aa") is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is read and named once
        assert clone.arrays("runs", "aa") is None and path.exists()
    content = path.read_bytes()
    with (
        pytest.raises(ValueError, match=r"full\.parquet: it cannot be read"),
        pytest.warns(UserWarning, match="damaged"),
    ):
        publish("full", store, folder)
    assert path.read_bytes() == content


def test_no_flipped_bit_gives_other_numbers(tmp_path, store, folder):
    save_run(store, "aa")
    ask(store, "30", ["aa"])
    publish("full", store, folder)
    record, arrays = store.record("runs", "aa"), store.arrays("runs", "aa")
    content = (folder / "full.parquet").read_bytes()
    n_absent = 0
    for place in range(0, len(content), 101):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        (folder / "full.parquet").write_bytes(damaged)
        read.cache_clear()
        clone = fresh(tmp_path, folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = clone.record("runs", "aa"), clone.arrays("runs", "aa")
        n_absent += None in found
        assert None in found or found[0] == record
        assert None in found or all(found[1][name].tobytes() == value.tobytes() for name, value in arrays.items())
    assert n_absent > len(content) / 101 / 2


def test_a_run_costs_few_bytes_and_what_runs_share_is_kept_once(store, folder):
    keys = [f"{number:02}" for number in range(40)]
    for number, key in enumerate(keys):
        save_run(store, key, number)
        store.save_arrays("selections", key, rows=np.arange(number), scores=WRONG)  # of one method, at other budgets
        store.save_record("selections", key, {"excluded": {}, "seconds": 1.0})
    ask(store, "30", keys)
    publish("full", store, folder)
    alone = (folder / "full.parquet").stat().st_size
    assert alone < 4_200 * len(keys)  # 600 floats are 2,400 bytes, 600 bits 75, 500 rows 1,000
    ask(store, "12", keys, "selections")
    publish("full", store, folder)
    assert (folder / "full.parquet").stat().st_size < alone + WRONG.nbytes + 400 * len(keys)


def test_a_report_notes_what_it_asked_for_where_the_runner_named_it(tmp_path, store, folder, monkeypatch):
    monkeypatch.setattr(publishing, "RESULTS", store.root)
    monkeypatch.delenv(publishing.RUN, raising=False)
    store.record("runs", "aa")
    publishing.note()
    assert not (store.root / "asked").exists()
    log.ask("runs", "aa", method="kmeans", part=np.int64(3))
    log.ask("runs", "aa", method="the same rows by another name")
    store.record("selections", "bb")
    store.record("calibration", "cc")
    monkeypatch.setenv(publishing.RUN, "full")
    monkeypatch.setenv(publishing.REPORT, "30_versus_random.wild")
    publishing.note()
    noted = json.loads((store.root / "asked" / "full" / "30_versus_random.wild.json").read_text())
    assert noted == {"runs": {"aa": {"method": "kmeans", "part": 3}}, "selections": {"bb": {}}, "timings": {}}


@pytest.mark.parametrize("file", sorted(PUBLISHED.glob("*.parquet")), ids=lambda file: file.stem)
def test_no_published_line_names_a_place_of_one_machine(file):
    for line in read(file, ("kind", "key", "pool", "base", "method", "settings", "prepared")).to_pylist():
        for value in filter(None, line.values()):
            assert not re.search(r"""(^|["'])(/|~|[A-Za-z]:\\)[^"']""", value), (line["kind"], line["key"])


def test_only_the_projects_own_store_has_published_runs_behind_it(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what may be in figures/runs
        assert Store().published is published.of_folder(published.Path(Store().published.folder))
    assert Store(tmp_path).published is None
