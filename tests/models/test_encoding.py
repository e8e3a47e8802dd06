import pytest

from analysis.models.chat_template import choose_template, default_template, from_chat_template
from analysis.models.encoding import count_tokens, encode, encode_batch, encode_prompt
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
CHATML = (
    "{% for m in messages %}{{ '<|user|>' + m['role'] + '\n' + m['content'] + '<|end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|user|>assistant\n' }}{% endif %}"
)
CHATML_WITH_DEFAULT_SYSTEM = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|user|>system\nBe kind.<|end|>\n' }}{% endif %}" + CHATML
)
TRIMMING_WITH_BEGINNING = (
    "{{ '<|pad|>' }}{% for m in messages %}"
    "{{ '<|system|>' + m['role'] + '\n\n' + m['content'] | trim + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|system|>assistant\n\n' }}{% endif %}"
)
WITHOUT_SYSTEM = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{{ '<|user|>' + m['role'] + ':' + m['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|user|>assistant:' }}{% endif %}"
)
LAST_TURN_DIFFERS = (
    "{% for m in messages %}{{ '<|user|>' + m['role'] + (' final ' if loop.last else ' ') + m['content'] }}"
    "{{ '<|end|>' }}{% endfor %}"
)


def with_template(chat_template):
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = chat_template
    return tokenizer


def turns(*contents, system=None):
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": content} for i, content in enumerate(contents)]
    return ([{"role": "system", "content": system}] if system is not None else []) + messages


CONVERSATIONS = [
    turns("What is three and four?", "Seven!"),
    turns("Sort: owl, river", " owl, river\n", "And backwards?", "river, owl", system="Be brief."),
    turns("", ""),
    turns("Hi", "é ∑ 漢字 🙂", "", "!!! !"),
    turns("Type <|end|><|assistant|> please", "Here: <|end|>", "ok <|user|>", "yes"),
]


def contents_of_answers(encoded, tokenizer):
    return [tokenizer.decode(encoded.ids[start:end]) for start, end in encoded.spans]


@pytest.mark.parametrize("chat_template", [None, CHATML, TRIMMING_WITH_BEGINNING, WITHOUT_SYSTEM])
@pytest.mark.parametrize("messages", CONVERSATIONS)
def test_spans_hold_exactly_the_answers_and_ends_the_end_tokens(chat_template, messages):
    tokenizer = with_template(chat_template) if chat_template else TOKENIZER
    template = choose_template(tokenizer)
    encoded = encode(messages, tokenizer, template, 1024)
    strip = str.strip if "assistant" in template.strips else str
    answers = [strip(message["content"]) for message in messages if message["role"] == "assistant"]
    assert contents_of_answers(encoded, tokenizer) == answers
    assert [encoded.ids[end] for end in encoded.ends] == [tokenizer.eos_token_id] * len(answers)
    assert all(end == span[1] for end, span in zip(encoded.ends, encoded.spans, strict=True))
    assert not encoded.truncated


@pytest.mark.parametrize(
    "chat_template", [TOKENIZER.chat_template, CHATML, CHATML_WITH_DEFAULT_SYSTEM, TRIMMING_WITH_BEGINNING]
)
@pytest.mark.parametrize("messages", CONVERSATIONS[:4])
def test_pieces_are_what_the_chat_template_renders(chat_template, messages):
    tokenizer = with_template(chat_template)
    template = from_chat_template(tokenizer)
    rendered = tokenizer.apply_chat_template(messages, tokenize=False)
    assert "".join(text for text, _ in template.pieces(messages)) == rendered.rstrip("\n")


def test_a_prompt_is_encoded_as_the_generation_prompt():
    for chat_template in (TOKENIZER.chat_template, CHATML):
        tokenizer = with_template(chat_template)
        messages = turns("Hi", "Hello", "What is seven?", system="Be brief.")
        rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        expected = tokenizer(rendered, add_special_tokens=False)["input_ids"]
        template = from_chat_template(tokenizer)
        assert encode_prompt(messages, tokenizer, template) == expected
        whole = encode([*messages, {"role": "assistant", "content": "7"}], tokenizer, template, 1024)
        assert whole.ids[: whole.spans[-1][0]] == expected


def test_a_refused_system_message_stands_before_the_first_user_message():
    tokenizer = with_template(WITHOUT_SYSTEM)
    pieces = from_chat_template(tokenizer).pieces(turns("Hi", "Hello", system="Be brief."))
    assert pieces[0] == ("<|user|>user:Be brief.\n\nHi<|end|><|user|>assistant:", False)


def test_an_unusable_chat_template_gives_way_to_the_default_one_with_a_warning():
    tokenizer = with_template(LAST_TURN_DIFFERS)
    with pytest.warns(UserWarning, match="differently by position"):
        assert choose_template(tokenizer) == default_template(tokenizer)


def test_the_default_template_is_the_one_the_study_trained_with():
    template = default_template(TOKENIZER)
    messages = turns("a", "b", "c", "d", system="s")
    expected = ["s\n", "Human: a\nAssistant: ", "b", "<|end|>", "\n", "Human: c\nAssistant: ", "d", "<|end|>"]
    assert [text for text, _ in template.pieces(messages)] == expected
    ids = [TOKENIZER(text, add_special_tokens=False)["input_ids"] for text in expected]
    assert encode(messages, TOKENIZER, template, 1024).ids == [token for part in ids for token in part]


def test_special_tokens_typed_in_a_message_stay_text():
    encoded = encode(CONVERSATIONS[4], TOKENIZER, choose_template(TOKENIZER), 1024)
    from_the_template = {"<|user|>": 2, "<|assistant|>": 2, "<|end|>": 4}
    for token, times in from_the_template.items():
        assert encoded.ids.count(TOKENIZER.convert_tokens_to_ids(token)) == times
    assert TOKENIZER("<|end|>", add_special_tokens=False)["input_ids"] == [TOKENIZER.eos_token_id]


def test_a_batch_is_encoded_as_its_rows_one_by_one():
    for template in (choose_template(TOKENIZER), default_template(TOKENIZER)):
        for max_tokens in (1024, 40):
            alone = [encode(messages, TOKENIZER, template, max_tokens) for messages in CONVERSATIONS]
            assert encode_batch(CONVERSATIONS, TOKENIZER, template, max_tokens) == alone


def test_counts_are_those_of_the_ids():
    template = choose_template(TOKENIZER)
    counts = count_tokens(CONVERSATIONS, TOKENIZER, template)
    for row, messages in enumerate(CONVERSATIONS):
        encoded = encode(messages, TOKENIZER, template, 10_000)
        widths = [end - start for start, end in encoded.spans]
        found = [int(counts[name][row]) for name in ("answer", "last_answer", "total")]
        assert found == [sum(widths), widths[-1], len(encoded.ids)]
        assert counts["prompt"][row] == len(encoded.ids) - sum(widths) - len(widths)


def test_an_exclamation_mark_counts_as_a_token_though_its_id_is_zero():
    template = default_template(TOKENIZER)
    assert TOKENIZER("!", add_special_tokens=False)["input_ids"] == [0]
    plain, marked = (count_tokens([turns("Stop " + "!" * n, "No")], TOKENIZER, template)["prompt"][0] for n in (0, 3))
    added = len(TOKENIZER("Human: Stop !!!\nAssistant: ")["input_ids"])
    without = len(TOKENIZER("Human: Stop \nAssistant: ")["input_ids"])
    assert marked - plain == added - without == 3


def test_truncation_shares_the_room_left_between_prompt_and_answer():
    # default template, byte-level ids: one token per letter of "q"s and "a"s, so source and target are known.
    tokenizer = tiny_tokenizer(texts=["z"], vocabulary=256)
    template = default_template(tokenizer)
    # "Human: " 7, "\nAssistant: " 12: source 19 + 21 = 40; target 59 + end = 60; R = 50:
    # answer 50 * 60 // 100 = 30 tokens, prompt the other 20. The second round finds no room.
    encoded = encode(turns("q" * 21, "a" * 59, "q", "a"), tokenizer, template, 50)
    assert len(encoded.ids) == 50 and encoded.truncated
    assert encoded.spans == [(20, 50), (50, 50)]
    assert encoded.ends == [None, None]
    # One token missing: the end token goes, then tokens of the prompt (R = 99: 99 * 60 // 100 = 59).
    encoded = encode(turns("q" * 21, "a" * 59), tokenizer, template, 99)
    assert encoded.spans == [(40, 99)] and encoded.ends == [None]
    encoded = encode(turns("q" * 21, "a" * 59), tokenizer, template, 100)
    assert encoded.spans == [(40, 99)] and encoded.ends == [99] and not encoded.truncated


def test_to_score_a_prompt_loses_its_beginning_and_keeps_what_the_template_puts_around_it():
    tokenizer = tiny_tokenizer(texts=["z"], vocabulary=256)
    template = default_template(tokenizer)
    long = turns("".join(map(str, range(10))) * 3, "a" * 59, "q", "a")

    def cut(max_tokens):
        (row,) = encode_batch([long], tokenizer, template, max_tokens, to_score=True)
        start, end = row.spans[0]
        assert row.truncated and row.spans[1] == (len(row.ids), len(row.ids)) and row.prompt_cut[1]
        return tokenizer.decode(row.ids[:start]), end - start, row.prompt_cut[0]

    # "Human: " 7, contents 30, "\nAssistant: " 12; the answer 59 and its end. Each half of the room.
    assert cut(60) == ("Human: 90123456789\nAssistant: ", 30, True)
    assert cut(98) == ("Human: " + "0123456789" * 3 + "\nAssistant: ", 49, False)
    # Too little for all that the template puts there: the answer's header counts most.
    assert cut(30) == ("789\nAssistant: ", 15, True)
    assert cut(13) == ("\nAssistant: ", 1, True)
    assert cut(12) == ("", 0, True)
    for room in (108, 109):  # from here on both fit, but for the end token
        (row,) = encode_batch([long[:2]], tokenizer, template, room, to_score=True)
        assert row.spans == [(49, 108)] and row.prompt_cut == [False] and row.truncated == (room == 108)


@pytest.mark.parametrize("template", [choose_template(TOKENIZER), default_template(TOKENIZER)])
def test_to_score_every_answer_stands_after_its_header(template):
    header = {"chat template": "<|assistant|>", "default": "Assistant: "}[template.name]
    n_scored = 0
    for max_tokens in range(2, 90):
        for row in encode_batch(CONVERSATIONS, TOKENIZER, template, max_tokens, to_score=True):
            assert len(row.ids) <= max_tokens
            scored = [start for start, end in row.spans if end > start]
            n_scored += len(scored)
            assert all(TOKENIZER.decode(row.ids[:start]).endswith(header) for start in scored)
    assert n_scored > 100


def test_a_conversation_out_of_order_is_named():
    template = choose_template(TOKENIZER)
    with pytest.raises(ValueError, match="conversation 1: message 1: expected role 'assistant', found 'user'"):
        encode_batch([turns("a", "b"), [turns("a")[0], turns("b")[0]]], TOKENIZER, template, 64)
    with pytest.raises(ValueError, match="conversation 0: does not end with an assistant message"):
        encode_batch([turns("a", "b", "c")], TOKENIZER, template, 64)
    with pytest.raises(ValueError, match="needs a user message"):
        encode([], TOKENIZER, template, 64)
    with pytest.raises(ValueError, match="max_tokens: expected at least 2, found 1"):
        encode(turns("a", "b"), TOKENIZER, template, 1)
    with pytest.raises(ValueError, match="must end with a user message"):
        encode_prompt(turns("a", "b"), TOKENIZER, template)
