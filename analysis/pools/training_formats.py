"""Conversations in the shapes that programs for fine-tuning read: every row of a file with the same fields."""

from collections.abc import Sequence

from analysis.pools.pool import Messages

SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt"}


def as_messages(conversations: Sequence[Messages]) -> list[dict]:
    """`messages` of role and content: TRL, Axolotl's chat_template, LLaMA-Factory's sharegpt with tags."""
    return [{"messages": messages} for messages in conversations]


def as_sharegpt(conversations: Sequence[Messages]) -> list[dict]:
    """`conversations` of from and value; a system prompt is the first turn, which every reader takes unasked."""
    return [
        {"conversations": [{"from": SPEAKERS[turn["role"]], "value": turn["content"]} for turn in messages]}
        for messages in conversations
    ]


def as_alpaca(conversations: Sequence[Messages]) -> list[dict]:
    """`instruction`, `input` and `output` of the last turn, as LLaMA-Factory reads them.

    `input` is empty, because readers join it to the instruction in different ways. Earlier turns are `history`, pairs
    of instruction and answer, and a system prompt is `system`: fields of all rows or of none.
    """
    split = [(messages[0]["content"], messages[1:]) if messages[0]["role"] == "system" else ("", messages)
             for messages in conversations]  # fmt: skip
    with_system = any(system for system, _ in split)
    with_history = any(len(turns) > 2 for _, turns in split)
    rows = []
    for system, turns in split:
        texts = [turn["content"] for turn in turns]
        row = {"instruction": texts[-2], "input": "", "output": texts[-1]}
        if with_system:
            row["system"] = system
        if with_history:
            row["history"] = [texts[place : place + 2] for place in range(0, len(texts) - 2, 2)]
        rows.append(row)
    return rows


FORMATS = {"messages": as_messages, "alpaca": as_alpaca, "sharegpt": as_sharegpt}


def llama_factory(file_name: str, shape: str, fields: Sequence[str]) -> dict | None:
    """The entry of LLaMA-Factory's dataset_info.json for a file; `None` for the owner's own shape.

    Parameters
    ----------
    fields : that the file's rows have.
    """
    if shape == "alpaca":
        named = {
            "prompt": "instruction",
            "query": "input",
            "response": "output",
            "system": "system",
            "history": "history",
        }
        columns = {what: field for what, field in named.items() if field in fields}
        return {"file_name": file_name, "formatting": "alpaca", "columns": columns}
    if shape == "sharegpt":
        return {"file_name": file_name, "formatting": "sharegpt", "columns": {"messages": "conversations"}}
    if shape == "messages":
        tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant",
                "system_tag": "system"}  # fmt: skip
        return {"file_name": file_name, "formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags}
    return None
