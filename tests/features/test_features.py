import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import datasets
import numpy as np
import pytest
import torch

from analysis.features import per_row
from analysis.features.features import PRECISION, Features
from analysis.methods import select
from analysis.models.chat_template import choose_template, default_template
from analysis.models.language_model import LanguageModel, fingerprint_weights, load_model
from analysis.models.passes.token_losses import TokenLossPass
from analysis.pools import load_pool
from analysis.store import shards as shard_files
from analysis.store.shards import map_shards
from analysis.store.store import Store
from tests.tiny import tiny_model, tiny_tokenizer

TOKENIZER = tiny_tokenizer()
MODEL = tiny_model(TOKENIZER)


def language_model(model=MODEL, template=None):
    return LanguageModel(
        model=model,
        tokenizer=TOKENIZER,
        name="tiny",
        fingerprint=fingerprint_weights(model, TOKENIZER) if model is not None else "tiny",
        device=torch.device("cpu"),
        dtype=torch.float32,
        template=template or choose_template(TOKENIZER),
    )


def toy_pool(n_rows=50, order=None, fingerprint="toy"):
    """Rows of one or two turns; enough of a Pool for Features."""
    rows = []
    for row in range(n_rows) if order is None else order:
        contents = [
            f"What is {row}?",
            "It is " + "more " * (row % 7) + str(row * row),
            "Sure!",
            "Yes " * (row % 5),
        ]
        roles = ("user", "assistant", "user", "assistant")
        turns = [{"role": role, "content": content} for role, content in zip(roles, contents, strict=True)]
        rows.append({"id": f"toy-{row}", "source": "toy", "messages": turns[: 2 + 2 * (row % 3 == 0)]})
    return SimpleNamespace(rows=datasets.Dataset.from_list(rows), fingerprint=fingerprint)


def features(folder, pool=None, model=None, **settings):
    settings = {"shard_size": 8, "show_progress": False, "precision": "float32"} | settings
    return Features(pool or toy_pool(), model or language_model(), store=Store(folder), **settings)


def same(first, second, **tolerance):
    for name in first.__dataclass_fields__:
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), err_msg=name, **tolerance)


def shards(folder):
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*.npz")) if path.name[0] != "."}


def test_features_do_not_depend_on_the_size_of_shards(tmp_path):
    reference = features(tmp_path / "a")
    for name, settings in {"b": {"shard_size": 1}, "c": {"shard_size": 1000, "tokens_per_batch": 50}}.items():
        other = features(tmp_path / name, **settings)
        same(reference.lengths(), other.lengths())
        same(reference.token_losses(), other.token_losses(), rtol=1e-5)


def test_turns_belong_to_their_rows(tmp_path):
    losses = features(tmp_path).token_losses()
    assert losses.row.tolist() == [row for row in range(50) for _ in range(1 + (row % 3 == 0))]
    assert losses.n_rows == 50
    # Rows 0, 15, 30 and 45 have an empty second answer; their first one is still scored.
    assert np.flatnonzero(np.isnan(losses.mean("last"))).tolist() == [0, 15, 30, 45]
    assert np.isfinite(losses.mean("all")).all()
    lengths = features(tmp_path).lengths()
    assert np.array_equal(losses.per_row("all")[1], lengths.answer)
    assert np.array_equal(losses.per_row("last")[1], lengths.last_answer)


def test_shuffling_the_pool_shuffles_features_and_subsets(tmp_path):
    order = np.random.default_rng(0).permutation(50)
    first = features(tmp_path)
    second = features(tmp_path, toy_pool(order=order, fingerprint="shuffled"))
    assert np.array_equal(first.row_keys()[order], second.row_keys())
    assert np.array_equal(first.lengths().total[order], second.lengths().total)
    np.testing.assert_allclose(first.token_losses().mean()[order], second.token_losses().mean(), rtol=1e-5)
    for method in ("random_selection", "token_length", "cross_entropy", "ifd", "ifd(variant='released')"):
        rows = select(method, first, 10, seed=0).rows
        assert set(order[select(method, second, 10, seed=0).rows]) == set(rows)


def test_lengths_need_no_weights_and_token_losses_say_that_they_do(tmp_path):
    without = features(tmp_path, model=language_model(model=None))
    assert without.lengths().total.min() > 0
    with pytest.raises(ValueError, match="tiny: loaded without weights"):
        without.token_losses()


def test_whole_rows_are_counted_and_truncated_ones_marked(tmp_path):
    cut, whole = features(tmp_path, max_tokens=30), features(tmp_path)
    same(replace(cut.lengths(), truncated=whole.lengths().truncated), whole.lengths())
    assert np.array_equal(cut.lengths().truncated, whole.lengths().total > 30)
    assert cut.lengths().truncated.any() and not cut.lengths().truncated.all()
    assert (cut.token_losses().per_row()[1] <= 30).all()


@pytest.mark.parametrize(
    "change",
    [
        {"pool": toy_pool(fingerprint="other")},
        {"model": language_model(tiny_model(TOKENIZER, seed=1))},
        {"model": language_model(template=default_template(TOKENIZER))},
        {"max_tokens": 40},
        {"precision": "bfloat16"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_changes_the_losses_changes_where_they_are_stored(tmp_path, change):
    features(tmp_path).token_losses()
    before = len(shards(tmp_path / "token_losses"))
    features(tmp_path, **change).token_losses()
    assert len(shards(tmp_path / "token_losses")) == 2 * before


def test_scores_are_float32_on_every_machine_unless_bfloat16_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"amx_bf16": True, "avx512_bf16": True})
    monkeypatch.delenv(PRECISION, raising=False)
    default = features(tmp_path, precision=None)
    assert default.autocast is None and default.precisions == {"scores": "float32", "fine-tuning": "float32"}
    assert (
        features(tmp_path, model=replace(language_model(), dtype=torch.bfloat16), precision=None).precisions["scores"]
        == "bfloat16"
    )
    monkeypatch.setenv(PRECISION, "bfloat16")
    low = features(tmp_path, precision=None)
    assert low.precisions == {"scores": "bfloat16", "fine-tuning": "float32"}
    default.token_losses(), low.token_losses()
    assert len(shards(tmp_path / "token_losses")) == 2 * len(shards(tmp_path / "lengths"))  # each by itself
    monkeypatch.setenv(PRECISION, "half")
    with pytest.raises(ValueError, match="precision: expected"):
        features(tmp_path, precision=None)


def of_a_model(asked):
    """All that one pass forward gives."""
    losses, logits = asked.token_losses(), asked.rating_logits(["Rate this.", "How good?"])
    return (
        losses.loss_sum,
        losses.unshifted_loss_sum,
        asked.embeddings("all"),
        asked.embed(asked.messages(0, 9)),
        logits,
    )


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_numbers_do_not_depend_on_the_number_of_threads(tmp_path, threads):
    base = load_model("tiny-weak")  # large enough for torch to share its work among threads
    pool = load_pool("wild", limit=120)
    one, three = (
        threads(number) or of_a_model(features(tmp_path / str(number), pool, base, shard_size=None))
        for number in (1, 3)
    )
    assert torch.get_num_threads() == 3
    for first, second in zip(one, three, strict=True):
        assert np.array_equal(first, second, equal_nan=True)


@pytest.mark.skipif(not per_row._can_fork(), reason="needs forked processes")
def test_several_processes_give_the_same_numbers_and_are_used_for_many_rows_alone(tmp_path, threads, monkeypatch):
    threads(2)
    pool, used, shared = toy_pool(), [], shard_files._as_finished
    monkeypatch.setattr(shard_files, "_as_finished", lambda *given: used.append(given[-1]) or shared(*given))
    expected = of_a_model(features(tmp_path / "one", pool))
    assert not used
    monkeypatch.setattr(per_row, "MANY_ROWS", 50)
    found = of_a_model(features(tmp_path / "two", pool))
    assert used == [2] * 4
    for first, second in zip(expected, found, strict=True):
        assert np.array_equal(first, second, equal_nan=True)
    monkeypatch.setattr(per_row, "SMALL", 1)  # threads serve a large model better
    features(tmp_path / "three", pool).token_losses()
    assert used == [2] * 4


@pytest.mark.skipif(not per_row._can_fork(), reason="needs forked processes")
def test_an_error_in_one_of_several_processes_is_that_of_the_pass(tmp_path, threads, monkeypatch):
    threads(2)
    monkeypatch.setattr(per_row, "MANY_ROWS", 50)

    def fail(*given):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(TokenLossPass, "_forward", fail)
    with pytest.raises(RuntimeError, match="no such kernel"):
        features(tmp_path).token_losses()


def test_bfloat16_is_close_to_float32(tmp_path):
    exact, low = features(tmp_path), features(tmp_path, precision="bfloat16")
    np.testing.assert_allclose(low.token_losses().mean(), exact.token_losses().mean(), rtol=0.05)
    with pytest.raises(ValueError, match="precision: expected"):
        features(tmp_path, precision="int8")
    half = replace(exact.language_model, dtype=torch.bfloat16)
    with pytest.raises(ValueError, match=r"needs float32 weights, found torch\.bfloat16"):
        features(tmp_path, model=half)


def test_stored_features_are_read_and_not_computed_again(tmp_path):
    first = features(tmp_path)
    expected, before = first.token_losses(), shards(tmp_path)

    def must_not_run(*arguments, **named):
        raise AssertionError("computed again")

    class Silent(torch.nn.Module):
        forward = must_not_run

    again = features(tmp_path, model=replace(first.language_model, model=Silent()))
    same(expected, again.token_losses())
    assert shards(tmp_path) == before


@pytest.mark.filterwarnings("ignore:.*damaged")
def test_a_damaged_shard_is_computed_again_with_a_warning(tmp_path):
    expected, before = features(tmp_path).token_losses(), shards(tmp_path)
    flipped, cut = list(shards(tmp_path / "token_losses"))[2:4]
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 255
    flipped.write_bytes(content)
    cut.write_bytes(cut.read_bytes()[:100])
    with pytest.warns(UserWarning, match="npz"):
        found = features(tmp_path).token_losses()
    same(expected, found, rtol=1e-6)
    changed = {path for path, modified in shards(tmp_path).items() if before.get(path) != modified}
    assert changed == {flipped, cut}


INTERRUPTED = """
import sys, time
import analysis
import analysis.features.contexts as module
from tests.features import test_features as t

encode_batch = module.encode_batch

def slow(*arguments, **options):
    time.sleep(0.3)
    return encode_batch(*arguments, **options)

module.encode_batch = slow
t.features(sys.argv[1]).token_losses()
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is of POSIX systems")
def test_after_kill_9_nothing_finished_is_repeated(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED, str(tmp_path)])
    deadline = time.monotonic() + 50
    while len(shards(tmp_path / "token_losses")) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    finished = shards(tmp_path / "token_losses")
    assert 3 <= len(finished) < 7
    resumed = features(tmp_path).token_losses()
    after = shards(tmp_path / "token_losses")
    assert len(after) == 7 and all(after[path] == modified for path, modified in finished.items())
    same(features(tmp_path / "whole").token_losses(), resumed, rtol=1e-6)


def test_the_progress_bar_tells_rows_per_second_and_the_time_left(tmp_path, capsys):
    def compute(start, stop):
        return {"square": np.arange(start, stop) ** 2}

    for n_rows in (10, 30):
        arrays = map_shards(
            compute, n_rows, store=Store(tmp_path), kind="toy", key="k", shard_size=5, label="Squares",
            weights=np.arange(n_rows),
        )  # fmt: skip
        assert arrays["square"].tolist() == [row**2 for row in range(n_rows)]
        shown = capsys.readouterr().err
        assert "Squares" in shown and f"{n_rows} of {n_rows} rows" in shown
        assert "rows/s" in shown and "left" in shown


def test_shards_that_disagree_or_make_no_sense_are_errors(tmp_path):
    settings = {"store": Store(tmp_path), "kind": "toy", "key": "k", "label": "Toy", "show_progress": False}

    def compute(start, stop):
        return {f"from {start}": np.arange(start, stop)}

    with pytest.raises(ValueError, match=r"rows \(5, 6\): expected \['from 0'\], found"):
        map_shards(compute, 6, shard_size=5, **settings)
    with pytest.raises(ValueError, match="expected at least one row, found 0"):
        map_shards(compute, 0, shard_size=5, **settings)
    with pytest.raises(ValueError, match="shard_size: expected at least 1, found 0"):
        map_shards(compute, 6, shard_size=0, **settings)
    with pytest.raises(ValueError, match="weights: expected shape"):
        map_shards(compute, 6, shard_size=5, weights=np.ones(5), **settings)


def test_a_saved_model_is_loaded_with_its_tokenizer_and_template(tmp_path):
    folder = tmp_path / "saved"
    MODEL.save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    loaded = load_model(folder, device="cpu", store=Store(tmp_path / "store"))
    assert loaded.template == choose_template(TOKENIZER) and loaded.dtype == torch.float32
    same(
        features(tmp_path / "a", model=loaded).token_losses(),
        features(tmp_path / "b").token_losses(),
        rtol=1e-5,
    )
    assert load_model(str(folder), device="cpu", weights=False, template="default").template.name == "default"
    fingerprints = {load_model(folder, device="cpu", weights=False).fingerprint, loaded.fingerprint}
    tiny_model(TOKENIZER, seed=1).save_pretrained(folder)
    assert len(fingerprints) == 1
    changed = load_model(folder, device="cpu", weights=False, store=Store(tmp_path / "store"))
    assert changed.fingerprint not in fingerprints


def test_a_model_that_cannot_be_loaded_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such model folder; the embedded bases are"):
        load_model(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match=r"no config\.json"):
        load_model(tmp_path)
    TOKENIZER.save_pretrained(tmp_path / "small")
    tiny_model(tiny_tokenizer(vocabulary=260)).save_pretrained(tmp_path / "small")
    with pytest.raises(ValueError, match="the tokenizer has 305 tokens, the model knows only 265"):
        load_model(tmp_path / "small", device="cpu")
    with pytest.raises(ValueError, match="dtype: expected one of"):
        load_model(tmp_path / "small", device="cpu", dtype="int8")
    with pytest.raises(ValueError, match="template: expected"):
        load_model(tmp_path / "small", device="cpu", weights=False, template="alpaca")
