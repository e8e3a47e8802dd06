"""A tokenizer, a model and conversations small enough to be made inside a test."""

from types import SimpleNamespace

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from analysis.models.chat_template import choose_template
from analysis.models.language_model import LanguageModel, fingerprint_weights

SPECIAL_TOKENS = ("<|end|>", "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>")
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
TEXTS = (
    "What is the sum of three and four? The sum is seven.",
    "Sort the words by length, then write them in capitals: river, owl, mountain.",
    "Yes! No. Perhaps, if 12 is larger than 7.",
)


def tiny_tokenizer(texts=None, vocabulary: int = 300) -> PreTrainedTokenizerFast:
    """Byte-level BPE trained on `texts`; "!" has id 0, as in the tokenizers of Qwen2 and Llama-3."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXTS if texts is None else texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|pad|>")
    fast.add_special_tokens({"extra_special_tokens": list(SPECIAL_TOKENS[2:])})
    fast.chat_template = CHAT_TEMPLATE
    return fast


def tiny_model(tokenizer, seed: int = 0, hidden: int = 32, layers: int = 2) -> LlamaForCausalLM:
    """Random two-layer Llama in evaluation mode; the same seed gives the same weights."""
    settings = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        initializer_range=0.5,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(settings).eval()


def tiny_language_model(seed: int = 0) -> LanguageModel:
    """A tiny model with its tokenizer and template, as `load_model` gives them."""
    tokenizer = tiny_tokenizer()
    model = tiny_model(tokenizer, seed)
    return LanguageModel(
        model=model,
        tokenizer=tokenizer,
        name="tiny",
        fingerprint=fingerprint_weights(model, tokenizer),
        device=torch.device("cpu"),
        dtype=torch.float32,
        template=choose_template(tokenizer),
    )


def conversation(*contents: str) -> list[dict]:
    """Turns of the user and the assistant, one after the other."""
    return [{"role": ("user", "assistant")[i % 2], "content": content} for i, content in enumerate(contents)]


CONVERSATIONS = [
    conversation(f"What is {row}?", "It is " + "more " * (row % 7) + str(row * row), "Sure!", "Yes " * (1 + row % 5))[
        : 2 + 2 * (row % 3 == 0)
    ]
    for row in range(23)
]


class Faulty(torch.nn.Module):
    """A model that fails on, or gives nan for, any batch (or only the row) in which a token occurs."""

    def __init__(self, model, token, fault):
        super().__init__()
        self.model, self.token, self.fault = model, token, fault

    def get_output_embeddings(self):
        return self.model.get_output_embeddings()

    def forward(self, input_ids, use_cache):
        logits = self.model(input_ids=input_ids, use_cache=use_cache).logits.clone()
        hit = (input_ids == self.token).any(dim=1)
        if hit.any() and self.fault == "error":
            raise torch.OutOfMemoryError("out of memory")
        logits[hit] = torch.nan
        return SimpleNamespace(logits=logits)
