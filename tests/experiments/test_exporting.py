"""Chosen rows as files: as their owner wrote them, best first, and as programs for fine-tuning read them."""

import base64
import csv
import gzip
import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import load_dataset

from analysis.experiments.exporting import paths
from analysis.experiments.workbench import Workbench
from analysis.features.features import Features
from analysis.methods import Selection, less
from analysis.models.training.finetuning import FineTuning
from analysis.paths import ROOT
from analysis.pools import load_pool
from analysis.pools.reading import read_records
from analysis.store.store import Store
from tests.tiny import tiny_language_model

N_ROWS = 30
CHOSEN = [7, 3, 21, 0, 12]
AXOLOTL_CHAT = "{path: subset.jsonl, ds_type: json, type: chat_template}"
AXOLOTL_ROLES = {"human": "user", "user": "user", "assistant": "assistant", "gpt": "assistant", "system": "system"}


def turns(number: int, speakers=("human", "gpt")) -> list[dict]:
    """One question, or in every third row two; each answer ends with its number."""
    user, assistant = speakers
    spoken = [(user, f"Was ist {number} mal 3? ü\n"), (assistant, f"Es ist {number * 3}.")]
    if number % 3 == 0:
        spoken += [(user, "Und zweimal so viel?"), (assistant, f"Dann {number * 6}.")]
    return [{"from": who, "value": text} for who, text in spoken]


def records(system: bool = False) -> list[dict]:
    """Rows of an owner with fields of its own, some before and some after what is said."""
    every = [
        {"z": {"b": 1, "a": None}, "conversations": turns(number), "größe": number / 8, "id": number, "a": [True, "é"]}
        for number in range(N_ROWS)
    ]
    for record in every[::2] if system else ():
        record["conversations"].insert(0, {"from": "system", "value": "Sprich deutsch."})
    return every


def write(path, rows: list[dict]):
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(lines, encoding="utf-8")
    return path


def workbench(folder, source) -> Workbench:
    pool = load_pool(source, held_out_share=0, cache=folder / "pools")
    base, store = tiny_language_model(), Store(folder / "store")
    return Workbench(
        pool, base, Features(pool, base, store=store, show_progress=False), store, FineTuning(), 0,
        prepared={"pool": str(source)},
    )  # fmt: skip


@pytest.fixture
def work(tmp_path) -> Workbench:
    return workbench(tmp_path, write(tmp_path / "data.jsonl", records(system=True)))


def chosen(rows=CHOSEN) -> Selection:
    return Selection(np.array(rows))


def test_every_line_is_the_line_of_its_owner_best_first(work, tmp_path):
    work.export(chosen(), tmp_path / "subset.jsonl")
    lines = (tmp_path / "data.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    expected = "".join(lines[row] for row in CHOSEN)
    assert (tmp_path / "subset.jsonl").read_text(encoding="utf-8") == expected
    assert (tmp_path / "subset.ids.txt").read_text().split() == [str(row) for row in CHOSEN]


@pytest.mark.parametrize("kind", ["gz", "json list", "csv", "parquet", "folder"])
def test_files_of_every_kind_give_their_records_back(tmp_path, kind):
    plain = [{"extra": "ö", "prompt": f"Was ist {n}?", "completion": f"Es ist {n}."} for n in range(N_ROWS)]
    source = tmp_path / "in" / {"gz": "a.jsonl.gz", "json list": "a.json"}.get(kind, f"a.{kind}")
    source.parent.mkdir()
    if kind == "gz":
        source.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in plain).encode()))
    elif kind == "json list":
        source.write_text(json.dumps(plain))
    elif kind == "csv":
        with source.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(plain[0]))
            writer.writeheader()
            writer.writerows(plain)
    elif kind == "parquet":
        pd.DataFrame(plain).to_parquet(source)
    else:
        source = source.parent
        write(source / "a.jsonl", plain[:10])
        write(source / "b.jsonl", plain[10:])
    files = [source] if kind != "folder" else [source / "a.jsonl", source / "b.jsonl"]
    expected = [record for file in files for _, record in read_records(file)]
    workbench(tmp_path, source).export(chosen(), tmp_path / "subset.json")
    written = json.loads((tmp_path / "subset.json").read_text())
    assert written == [expected[row] for row in CHOSEN] and list(written[0]) == list(expected[0])


def test_fields_that_the_owner_named_and_the_encoding_are_used_again(tmp_path):
    lines = [json.dumps({"ask": f"Was heißt {n}?", "say": f"Größe {n}"}, ensure_ascii=False) for n in range(N_ROWS)]
    (tmp_path / "data.jsonl").write_bytes("\n".join(lines).encode("cp1252"))
    named = f"{tmp_path / 'data.jsonl'}::prompt=ask,answer=say,encoding=cp1252"
    work = workbench(tmp_path, named)
    work.export(chosen(), tmp_path / "subset.jsonl")
    assert (tmp_path / "subset.jsonl").read_text(encoding="utf-8").splitlines() == [lines[row] for row in CHOSEN]


@pytest.mark.parametrize("shape", ["original", "messages", "sharegpt", "alpaca"])
@pytest.mark.parametrize("ending", [".jsonl", ".json"])
def test_what_is_written_is_read_back_by_this_suite_and_by_datasets(work, tmp_path, shape, ending):
    path = tmp_path / f"subset{ending}"
    work.export(chosen(), path, shape=shape)
    again = load_pool(path, held_out_share=0, cache=tmp_path / "pools")
    assert again.messages(range(5)) == work.pool.messages(CHOSEN) and not again.set_aside
    loaded = load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "hub"))
    assert list(loaded) == [row for _, row in read_records(path)]


def test_ids_stand_in_a_line_each(tmp_path):
    ids = ["a\nb", "c\r", "d\u2028e", '"f"', "g " + "x" * 300]
    rows = [{"id": one, "prompt": f"Was ist {place}?", "completion": "Ja."} for place, one in enumerate(ids)]
    workbench(tmp_path, write(tmp_path / "data.jsonl", rows)).export(chosen(range(5)), tmp_path / "subset.jsonl")
    lines = (tmp_path / "subset.ids.txt").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines[:4]] + lines[4:] == ids
    with (tmp_path / "subset.rows.csv").open(newline="", encoding="utf-8") as file:
        assert [row["id"] for row in csv.DictReader(file)] == ids


def test_bytes_that_are_no_text_of_a_row_are_written_in_base64(tmp_path):
    prompts, image = [f"Was ist {n}?" for n in range(5)], b"\x00\xff\x10"
    columns = {
        "prompt": [text.encode() for text in prompts],
        "completion": ["Ja."] * 5,
        "picture": [{"bytes": image}] * 5,
    }
    pd.DataFrame(columns | {"price": [Decimal("1.50")] * 5}).to_parquet(tmp_path / "data.parquet")
    workbench(tmp_path, tmp_path / "data.parquet").export(chosen(range(5)), tmp_path / "subset.jsonl")
    written = [json.loads(line) for line in (tmp_path / "subset.jsonl").read_text().splitlines()]
    assert [row["prompt"] for row in written] == prompts
    assert {(base64.b64decode(row["picture"]["bytes"]), row["price"]) for row in written} == {(image, "1.50")}


@pytest.mark.parametrize("ending", [".jsonl", ".json"])
def test_numbers_that_json_does_not_have_are_null(tmp_path, ending):
    scores = [{"of": [0.5, float("nan")], "ü": float("inf")}, {"of": [1.0], "ü": None}]
    rows = {"prompt": ["Was?"] * 2, "completion": ["Ja.", "Nein."], "weight": [float("nan"), 0.25], "scores": scores}
    pq.write_table(pa.table(rows), tmp_path / "data.parquet")
    workbench(tmp_path, tmp_path / "data.parquet").export(chosen(range(2)), tmp_path / f"subset{ending}")
    text = (tmp_path / f"subset{ending}").read_text(encoding="utf-8")
    strict = {"parse_constant": lambda constant: pytest.fail(constant)}
    written = (
        [json.loads(line, **strict) for line in text.splitlines()] if ending == ".jsonl" else json.loads(text, **strict)
    )
    assert [row["weight"] for row in written] == [None, 0.25]
    assert [row["scores"] for row in written] == [{"of": [0.5, None], "ü": None}, scores[1]]


def llama_factory(row: dict, entry: dict) -> tuple[str, list[tuple[str, str]]]:
    """System prompt and turns as LLaMA-Factory's converters take them; `columns` and `tags` replace all defaults."""
    columns, tags = entry["columns"], entry.get("tags")
    if entry["formatting"] == "alpaca":
        said = [text for pair in (row[columns["history"]] if "history" in columns else []) for text in pair]
        said.append("\n".join(text for text in (row[columns["prompt"]], row[columns["query"]]) if text))
        said.append(row[columns["response"]])
        return row[columns["system"]] if "system" in columns else "", said
    tags = tags or {"role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt",
                    "system_tag": "system"}  # fmt: skip
    turns = [(turn[tags["role_tag"]], turn[tags["content_tag"]]) for turn in row[columns["messages"]]]
    system = turns.pop(0)[1] if turns[0][0] == tags["system_tag"] else ""
    assert [who for who, _ in turns] == [tags["user_tag"], tags["assistant_tag"]] * (len(turns) // 2)
    return system, [text for _, text in turns]


@pytest.mark.parametrize("shape", ["messages", "sharegpt", "alpaca"])
def test_the_entry_for_llama_factory_finds_system_prompts_and_every_turn(work, tmp_path, shape):
    manifest = work.export(chosen(), tmp_path / "subset.jsonl", shape=shape)
    rows = [row for _, row in read_records(tmp_path / "subset.jsonl")]
    for row, messages in zip(rows, work.pool.messages(CHOSEN), strict=True):
        system = messages[0]["content"] if messages[0]["role"] == "system" else ""
        said = [message["content"] for message in messages if message["role"] != "system"]
        assert llama_factory(row, manifest["llama_factory"]) == (system, said)
    assert len({tuple(row) for row in rows}) == 1


def axolotl(shape: str) -> dict:
    """The entry of `datasets:` that the README names for a format."""
    line = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith(f"| `{shape}` |"))
    entry, *more = re.findall("`([^`]+)`", line.split("|")[4])
    return yaml.safe_load(
        entry if entry.startswith("{") else AXOLOTL_CHAT.replace("}", f", {entry}, {', '.join(more)}}}")
    )


def test_the_entries_for_axolotl_name_the_fields_that_are_written(work, tmp_path):
    assert axolotl("messages") == yaml.safe_load(AXOLOTL_CHAT)
    for shape in ("messages", "sharegpt"):
        work.export(chosen(), tmp_path / f"{shape}.jsonl", shape=shape)
        entry, rows = axolotl(shape), [row for _, row in read_records(tmp_path / f"{shape}.jsonl")]
        names = entry.get("message_property_mappings", {"role": "role", "content": "content"})
        for row, messages in zip(rows, work.pool.messages(CHOSEN), strict=True):
            turns = row[entry.get("field_messages", "messages")]
            said = [(AXOLOTL_ROLES[turn[names["role"]]], turn[names["content"]]) for turn in turns]
            assert said == [(message["role"], message["content"]) for message in messages]
    assert axolotl("alpaca")["type"] == "alpaca"  # which reads instruction, input and output


def test_messages_go_through_a_chat_template_as_in_trl_and_axolotl(work, tmp_path):
    work.export(chosen(), tmp_path / "subset.jsonl", shape="messages")
    rows = [row for _, row in read_records(tmp_path / "subset.jsonl")]
    texts = work.base.tokenizer.apply_chat_template([row["messages"] for row in rows], tokenize=False)
    assert "Es ist 21." in texts[0] and "Dann 18." in texts[1] and "Sprich deutsch." in texts[3]
    assert all(list(row) == ["messages"] for row in rows)


def test_alpaca_has_a_field_for_earlier_turns_only_where_there_are_any(tmp_path):
    single = [record for record in records() if len(record["conversations"]) < 4]
    work = workbench(tmp_path, write(tmp_path / "data.jsonl", single))
    work.export(chosen([7]), tmp_path / "subset.jsonl", shape="alpaca")
    row = next(row for _, row in read_records(tmp_path / "subset.jsonl"))
    assert row == {"instruction": "Was ist 11 mal 3? ü\n", "input": "", "output": "Es ist 33."}


def test_the_manifest_and_the_table_say_why_each_row_is_there(work, tmp_path):
    method = "kmeans(inside='token_length', clusters=2, embedding='tfidf')"
    selection = work.select(method, 6)
    told = work.export(selection, tmp_path / "subset.jsonl", method=method, budget=6)
    assert told == json.loads((tmp_path / "subset.manifest.json").read_text())
    table = pd.read_csv(tmp_path / "subset.rows.csv")
    assert table["rank"].tolist() == [1, 2, 3, 4, 5, 6] and table["row"].tolist() == selection.rows.tolist()
    labels = work.features.clusters("tfidf", 2, work.selection_seed).labels
    assert table["cluster"].tolist() == labels[selection.rows].tolist()
    lengths = work.features.lengths()
    assert table["score"].tolist() == work.select("token_length", 1).scores[selection.rows].tolist()
    assert (
        table["tokens"].tolist() == lengths.total[selection.rows].tolist() and told["tokens"] == table["tokens"].sum()
    )
    assert told["method"]["options"]["quota"] == "proportional" and told["budget"] == 6
    assert told["pool"]["fingerprint"] == work.pool.fingerprint and told["model"]["name"] == "tiny"


@pytest.fixture
def targets(tmp_path) -> str:
    """A file of three target rows of two groups, the second group one of the pool's own rows word by word."""
    said = [("Nenne eine Farbe.", "Blau.", "farben"), ("Und noch eine?", "Rot.", "farben")]
    rows = [{"prompt": prompt, "completion": answer, "source": group} for prompt, answer, group in said]
    (prompt, answer), group = (turn["value"] for turn in turns(7)), "rechnen"
    rows.insert(1, {"prompt": prompt, "completion": answer, "source": group})
    return str(write(tmp_path / "targets.jsonl", rows))


def table_of(work: Workbench, method: str, path: Path) -> tuple[Selection, pd.DataFrame]:
    """Six rows that a method selects, exported, and the table of why each was chosen."""
    selection = work.select(method, 6)
    work.export(selection, path, method=method)
    return selection, pd.read_csv(path.with_suffix(".rows.csv"))


def test_the_table_names_the_target_row_most_like_each_chosen_row(tmp_path, targets):
    work = workbench(tmp_path, write(tmp_path / "data.jsonl", records()))
    _, table = table_of(work, f"rds_plus(targets={targets!r})", tmp_path / "subset.jsonl")
    groups = {name: work.features.embed(rows, "weighted") for name, rows in work.features.targets(targets).items()}
    embeddings = work.features.embeddings("weighted")
    for line in table.itertuples():
        by_group = {
            name: [cosine(embeddings[line.row], target) for target in members] for name, members in groups.items()
        }
        best = max(by_group, key=lambda name: max(by_group[name]))
        assert (line.target, line.target_row) == (best, int(np.argmax(by_group[best])) + 1)
        assert line.likeness == pytest.approx(max(by_group[best]), abs=1e-5)
    same = table[table["row"] == 7].iloc[0]
    assert (
        len(groups) == 2
        and same["likeness"] == pytest.approx(1, abs=1e-5)
        and same["target"] == best_group(targets, work)
    )


def best_group(targets: str, work: Workbench) -> str:
    """The group whose rows say what row 7 of the pool says."""
    return next(name for name, rows in work.features.targets(targets).items() if work.pool.messages([7])[0] in rows)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_the_table_names_the_target_group_that_a_step_on_each_row_helps_most(tmp_path, targets):
    work = workbench(tmp_path, write(tmp_path / "data.jsonl", records()))
    selection, table = table_of(work, f"less(targets={targets!r}, epochs=2)", tmp_path / "subset.jsonl")
    assert table["score"].tolist() == sorted(selection.scores[selection.rows], reverse=True)
    found = less.influences_of(
        work.features, seed=work.selection_seed, targets=targets, epochs=2, rank=8, learning_rate=1e-3
    )
    weighted = np.tensordot(found.values, less.epoch_weights(found.learning_rates), axes=([1], [0]))
    assert len(found.groups) == 2
    for line in table.itertuples():
        assert weighted[line.row].max() == pytest.approx(line.score)
        assert line.target == found.groups[int(np.argmax(weighted[line.row]))]
    released = f"less(targets={targets!r}, epochs=2, variant='released')"
    assert "target" not in table_of(work, released, tmp_path / "released.jsonl")[1]


@pytest.mark.parametrize("taken", ["subset.jsonl", "subset.manifest.json", "subset.ids.txt", "subset.rows.csv"])
def test_nothing_is_overwritten(work, tmp_path, taken):
    (tmp_path / taken).write_text("mine")
    with pytest.raises(FileExistsError, match=f"{taken}: exists and is not overwritten"):
        work.export(chosen(), tmp_path / "subset.jsonl")
    assert (tmp_path / taken).read_text() == "mine" and len(list(tmp_path.glob("subset*"))) == 1


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.jsonl or \.json, found '\.parquet'"):
        paths(tmp_path / "subset.parquet")


@pytest.mark.parametrize("how", ["another text", "fewer rows", "rows in another order"])
def test_a_file_that_has_changed_since_is_an_error(work, tmp_path, how):
    rows = records(system=True)
    if how == "another text":
        rows[21]["conversations"][-1]["value"] = "Nein."
    rows = {"fewer rows": rows[:21], "rows in another order": rows[::-1]}.get(how, rows)
    write(tmp_path / "data.jsonl", rows)
    with pytest.raises(ValueError, match=r"data.jsonl: row \d+ is not what it was.*the file has changed"):
        work.export(chosen(), tmp_path / "subset.jsonl")
    assert not list(tmp_path.glob("subset*"))


def test_files_are_found_where_the_pool_was_named_though_their_content_was_known_from_elsewhere(work, tmp_path):
    moved = tmp_path / "elsewhere" / "data.jsonl"
    moved.parent.mkdir()
    (tmp_path / "data.jsonl").rename(moved)
    with pytest.raises(FileNotFoundError):
        replace(work, prepared=None).export(chosen(), tmp_path / "subset.jsonl")
    workbench(tmp_path, moved).export(chosen(), tmp_path / "subset.jsonl")
    assert len((tmp_path / "subset.jsonl").read_text().splitlines()) == 5


def test_rows_of_the_hub_are_streamed_again_at_the_revision_that_was_read(work, tmp_path, monkeypatch):
    asked = []

    def streamed(name, *, split, streaming, revision):
        asked.append((name, split, streaming, revision))
        return iter(records(system=True))

    monkeypatch.setattr(datasets, "load_dataset", streamed)
    provenance = work.pool.provenance | {"source": "hub owner/rows at abc", "files": ["owner/rows"]}
    on_hub = replace(work, pool=replace(work.pool, provenance=provenance), prepared={"pool": "owner/rows"})
    on_hub.export(chosen(), tmp_path / "subset.json")
    assert json.loads((tmp_path / "subset.json").read_text()) == [records(system=True)[row] for row in CHOSEN]
    assert asked == [("owner/rows", "train", True, "abc")]


def test_rows_of_the_testbed_have_no_original_and_are_messages(tmp_path):
    pool = load_pool("curated", limit=60, cache=tmp_path / "pools")
    base, store = tiny_language_model(), Store(tmp_path / "store")
    work = Workbench(pool, base, Features(pool, base, store=store), store, FineTuning(), 0)
    assert work.export(chosen(), tmp_path / "subset.jsonl")["format"] == "messages"
    with pytest.raises(ValueError, match="no original"):
        work.export(chosen(), tmp_path / "other.jsonl", shape="original")
    with pytest.raises(ValueError, match="format: expected one of 'original', 'messages'"):
        work.export(chosen(), tmp_path / "other.jsonl", shape="chatml")
