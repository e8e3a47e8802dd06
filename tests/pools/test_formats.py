"""Every known shape becomes the same messages; whatever does not fit says why, where, and what was found."""

import json
import re

import pytest

from analysis.pools.findings import Notes, Rejected
from analysis.pools.formats import convert, id_of, source_of
from analysis.pools.how_to_read import ROLES, how_to_read
from analysis.pools.shapes import recognise

SUM = [{"role": "user", "content": "1 + 2?"}, {"role": "assistant", "content": "3"}]


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": [{"from": "human", "value": "1 + 2?", "weight": 0.0}, {"from": "gpt", "value": "3"}]},
        {
            "conversation": [
                {"role": "user", "content": "1 + 2?", "toxic": False},
                {"role": "assistant", "content": "3"},
            ]
        },
        {"messages": SUM},
        {"messages": '[{"role": "user", "content": "1 + 2?"}, {"role": "assistant", "content": "3"}]'},
        {"messages": {"role": ["user", "assistant"], "content": ["1 + 2?", "3"]}},
        {
            "messages": [
                {"role": "user", "content": [{"text": "1 + 2?"}]},
                {"role": "Chatbot", "content": [{"text": "3"}]},
            ]
        },
        {"messages": [{"role": "human", "content": "1 + 2?"}, {"role": "AI", "content": "3"}]},
        {"instruction": "1 + 2?", "input": "", "output": "3"},
        {"instruction": "1 + 2?", "input": [], "output": "3"},
        {"instruction": "1 + 2?", "output": "3"},
        {"prompt": "1 + 2?", "completion": "3"},
        {"prompt": "1 + 2?", "response": "3"},
        {"prompt": SUM[:1], "completion": SUM[1:]},
        {"conversations": None, "messages": None, "prompt": "1 + 2?", "completion": None, "response": "3"},
    ],
)
def test_every_shape_becomes_the_same_messages(row):
    assert convert(row) == SUM


def test_an_alpaca_input_follows_the_instruction():
    messages = convert({"instruction": "Sum up.", "input": "A text.", "output": "Text."})
    assert messages[0]["content"] == "Sum up.\n\nA text."


def test_a_leading_system_message_is_kept_wherever_it_stands():
    system = {"role": "system", "content": "Be kind."}
    assert convert({"messages": [system, *SUM]}) == [system, *SUM]
    assert convert({"conversations": [{"from": "system", "value": "Be kind."}, *SUM]}) == [system, *SUM]
    assert convert({"messages": SUM, "system": "Be kind."}) == [system, *SUM]
    assert convert({"messages": SUM, "systemInstruction": {"parts": [{"text": "Be kind."}]}}) == [system, *SUM]


@pytest.mark.parametrize(
    ("row", "reason", "field"),
    [
        ("text", "not an object", "row"),
        ({"question": "x"}, "other shape", "fields"),
        ({"messages": 3}, "wrong type", "messages"),
        ({"messages": ["x"]}, "wrong type", "messages[0]"),
        ({"messages": "[oops"}, "not JSON", "messages"),
        ({"messages": f"[{'1' * 5000}]"}, "not JSON", "messages"),  # Python reads no number of so many digits
        ({"messages": "[" * 100_000}, "not JSON", "messages"),
        ({"messages": None, "prompt": "x", "completion": None, "response": None}, "empty answer", "response"),
        ({"instruction": None, "input": None, "output": "3"}, "empty prompt", "instruction"),
        ({"messages": []}, "no messages", "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "no messages", "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "tool use", "messages[0]"),
        ({"messages": [{"role": "sage", "content": "x"}]}, "unknown role", "messages[0]"),
        ({"messages": [SUM[0], {"role": "assistant", "content": None}]}, "wrong type", "messages[1]"),
        (
            {"messages": [SUM[0], {"role": "model", "parts": [{"text": "3"}]}]},
            "turn without a text (name its field: content=…)",
            "messages[1]",
        ),
        ({"messages": [SUM[0], {"role": "assistant", "content": [{"type": "tool_use"}]}]}, "tool use", "messages[1]"),
        (
            {"messages": [SUM[0], {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm."}]}]},
            "thoughts in a part beside the answer (write both into one text)",
            "messages[1]",
        ),
        ({"messages": [SUM[0], {"role": "assistant", "tool_calls": [{"id": "c"}]}]}, "tool use", "messages[1]"),
        ({"messages": {"role": ["user"], "content": []}}, "wrong type", "messages"),
        ({"messages": [SUM[0], SUM[0], SUM[1]]}, "does not alternate", "roles"),
        ({"messages": [SUM[1], SUM[0]]}, "no answer", "roles"),
        ({"messages": [*SUM, SUM[0], SUM[0]]}, "does not alternate", "roles"),
        ({"messages": [SUM[0], {"role": "assistant", "content": " \n"}]}, "empty answer", "turn 1"),
        ({"prompt": "", "response": "3"}, "empty prompt", "turn 0"),
        ({"prompt": "x", "response": "\ud800"}, "invalid UTF-8", "response"),
        ({"instruction": "x", "input": [4], "output": "3"}, "wrong type", "input"),
    ],
)
def test_what_does_not_fit_says_why_and_where(row, reason, field):
    with pytest.raises(Rejected) as caught:
        convert(row)
    assert (caught.value.reason, caught.value.field) == (reason, field)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            {"instruction": "1 + 2?", "generation": "3", "metadata": {"model": "m"}},
            "no field that is known for an answer",
        ),
        ({"input": {"messages": SUM}, "preferred_output": SUM[1:], "non_preferred_output": SUM[1:]}, "preference data"),
        ({"conversation_a": SUM, "conversation_b": SUM, "winner": "model_b"}, "preference data"),
        (
            {"train": [{"prompt": "x", "response": "y"}], "test": [{"prompt": "x", "response": "y"}]},
            "under a key.*train.*test",
        ),
        ({"chat_messages": [{"text": "x", "sender": "human"}]}, "messages=chat_messages.*text.*sender"),
        ({"conversation_id": 1, "role": "user", "content": "x"}, "join those of a conversation"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_repair_that_helps(row, says):
    with pytest.raises(Rejected) as caught:
        convert(row)
    assert re.search(says, str(caught.value))


def test_a_list_of_turns_is_read_before_a_pair_and_what_is_not_read_is_noted():
    notes = Notes()
    assert convert({"messages": SUM, "Prompt ": "x", "response": "3", "stars": 5}, notes=notes) == SUM
    assert notes == [
        ("field not read: prompt", "prompt", "x"),
        ("field not read: stars", "stars", 5),
    ]  # 3 is the answer
    assert recognise({"messages": SUM}) and not recognise({"prompt": "x", "completion": None})


def test_a_source_is_what_the_row_says_or_the_file():
    assert source_of({"source": "airoboros", "category": "x"}, "file") == "airoboros"
    assert source_of({"source": None, "category": "joke"}, "file") == "joke"
    assert source_of({"source": " "}, "file") == "file"


@pytest.mark.parametrize("role", [*ROLES, "tool", "Human", " gpt", "nobody", None, ["user"]])
@pytest.mark.parametrize("said", ["Yes.", " ", None, 3, "half \ud800", [{"type": "text", "text": "part"}]])
def test_a_turn_of_two_fields_is_read_as_one_with_another_that_is_empty(role, said):
    """Most turns have nothing but these two, and take a shorter way."""

    def outcome(**more) -> tuple:
        notes = Notes()
        try:
            turns = [{"role": "user", "content": "Well?"}, {"role": role, "content": said} | more]
            return convert({"messages": turns}, notes=notes), notes
        except Rejected as why:
            return str(why).replace(", name", ""), notes

    found, expected = outcome(), outcome(name=None)
    assert found[1] == expected[1]
    assert found[0] == expected[0]


def test_a_prompt_that_is_the_text_of_a_list_of_turns_is_read_as_turns():
    """As a CSV of a data set of prompts and completions has it."""
    notes = Notes()
    cells = {"prompt": json.dumps(SUM[:1]), "completion": json.dumps(SUM[1:])}
    assert convert(cells, notes=notes) == SUM
    assert [what for what, _, _ in notes] == ["text of a list of turns read as turns"]
    assert convert(cells | {"completion": "3"}) == SUM
    asked = '[{"content": "mail", "size": 3}]'
    assert convert({"prompt": asked, "completion": cells["completion"]})[0]["content"] == asked
    with pytest.raises(Rejected, match="Python text"):
        convert({"prompt": str(SUM[:1]), "completion": "3"})


def test_the_place_of_a_picture_is_told_of():
    notes = Notes()
    convert({"messages": [{"role": "user", "content": "<image>\nWhat is it?"}, SUM[1]]}, notes=notes)
    assert notes == [("special token or template mark in the text", "user", "<image>")]


def test_a_system_prompt_beside_turns_whose_own_is_empty_is_read():
    turns = [{"role": "system", "content": " "}, *SUM]
    assert convert({"messages": turns, "system_prompt": "Be kind."})[0]["content"] == "Be kind."


def test_marks_and_ids_that_are_not_followed_are_told_of():
    def told(**fields):
        notes = Notes()
        convert({"prompt": "1 + 2?", "response": "3"} | fields, notes=notes)
        return [what for what, _, _ in notes]

    assert told(weight=0.5) == ["field not read: weight"]
    assert told(label=0) == ["field not read: label"]  # 0 is a class here, and may have been meant as a mark
    assert told(weight=1.0, train="True", label=True, id=3, _id=None) == []
    assert told(split="Test") == ["marked as of the test split, and kept"]
    assert told(split="train") == ["field not read: split"]
    assert told(_id={"$oid": "5f"}) == ["id that is neither a text nor a number"]
    assert id_of({"id": 2.0}) == "2"
    notes = Notes()
    convert({"messages": [SUM[0] | {"weight": 0}, SUM[1] | {"weight": 0.5}]}, notes=notes)
    assert notes == [("field not read: messages[].weight", "messages[1]", 0.5)]


PAIR = {"instruction": "Answer.", "output": "Bob"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"source": "web", "dataset": "wiki", "category": "web"}, ["field not read: dataset"]),
        ({"source": None, "dataset": "wiki"}, []),
        ({"id": 7, "uuid": "c1", "idx": 7.0}, ["field not read: uuid"]),
        ({"id": "", "uuid": "c1"}, []),
        ({"question": "Who?"}, ["field not read: question (context=question has it follow the prompt)"]),
        ({"passage": "Bob did."}, ["field not read: passage (context=passage has it follow the prompt)"]),
        ({"documents": ["a", "b"]}, ["field not read: documents (context=documents has it follow the prompt)"]),
        ({"context": ["a", "b"]}, ["list of texts joined by blank lines"]),
        ({"answer": "Ann"}, ["field not read: answer"]),
    ],
)
def test_a_second_field_of_a_meaning_is_told(more, expected):
    notes = Notes()
    convert(PAIR | more, notes=notes)
    assert [what for what, _, _ in notes] == expected


@pytest.mark.parametrize("name", ["context", "passages", "question"])
def test_documents_follow_the_prompt(name):
    messages = convert(PAIR | {name: ["Bob did.", "Ann did not."]}, how_to_read(f"context={name}"))
    assert messages[0]["content"] == "Answer.\n\nBob did.\n\nAnn did not."
    with pytest.raises(Rejected, match="wrong type"):
        convert(PAIR | {name: [{"title": "t", "text": "Bob did."}]}, how_to_read(f"context={name}"))


@pytest.mark.parametrize("answer", [1, "1", "B", "(b)", "b."])
@pytest.mark.parametrize("choices", [["tea", "milk"], {"text": ["tea", "milk"], "label": ["A", "B"]}])
@pytest.mark.parametrize("name", ["choices", "options"])
def test_an_answer_that_points_at_a_choice_needs_a_prompt_that_shows_it(name, choices, answer):
    row = {"question": "What is white?", name: choices, "answer": answer}
    with pytest.raises(Rejected, match="place of a choice that the prompt does not show"):
        convert(row)
    shown = convert(row | {"question": "What is white? A) tea B) milk"})
    assert shown[1]["content"] == str(answer)


@pytest.mark.parametrize(("choices", "answer"), [(["tea", "milk"], "milk"), (["1", "2"], 2), (["tea", "milk"], "Yes")])
def test_an_answer_that_says_a_choice_or_something_else_is_one(choices, answer):
    assert convert({"question": "Which?", "choices": choices, "answer": answer})[1]["content"] == str(answer)
    assert convert({"question": "Which?", "choices": ["tea", "milk"], "answer": "B"}, how_to_read("context=choices"))
