"""Two-layer random models of the families in use, with tokenizers that treat text as theirs do."""

import warnings
from dataclasses import dataclass, field

import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from analysis.models.chat_template import choose_template
from analysis.models.language_model import LanguageModel, fingerprint_weights
from tests.tiny import TEXTS

WINDOW = 8  # positions, fewer than any row has
SHAPE = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 8, "max_position_embeddings": 512, "initializer_range": 0.2,
}  # fmt: skip
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
BE_KIND = "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}"
LLAMA_3 = (
    "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' }}"
    "{{ m['content'] | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}"
    "{% elif m['role'] == 'assistant' %}{{ ' ' + m['content'] + eos_token }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else m['role']) + '\n' }}"
    "{{ m['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)


@dataclass(frozen=True)
class Family:
    """How one family differs from the others.

    Attributes
    ----------
    config : class of transformers, and `settings` beyond `SHAPE`.
    specials : special tokens; the last one ends a text.
    begins : the token that the tokenizer puts before a text, which its chat template may write too.
    pads : whether there is a token to pad with.
    digits : in one token at most.
    spaces : how a space is written before the word that it belongs to, as in SentencePiece: "first" puts one before the
        first word too, "never" does not; none for bytes.
    """

    config: str
    specials: tuple[str, ...]
    template: str | None = None
    begins: str | None = None
    pads: str | None = None
    digits: int = 1
    spaces: str | None = None
    settings: dict = field(default_factory=dict)


IM = ("<|im_start|>", "<|endoftext|>", "<|im_end|>")
TURNS = ("<pad>", "<bos>", "<start_of_turn>", "<end_of_turn>", "<eos>")
HEADERS = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|end_of_text|>")
HYBRID = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": WINDOW, "query_pre_attn_scalar": 8}
FAMILIES = {
    "Llama-3": Family("LlamaConfig", HEADERS, LLAMA_3, "<|begin_of_text|>", digits=3),
    "Llama-3 base": Family("LlamaConfig", HEADERS, None, "<|begin_of_text|>", digits=3),
    "Qwen2": Family("Qwen2Config", IM, BE_KIND + CHATML, pads="<|endoftext|>", settings={"tie_word_embeddings": True}),
    "Qwen2 base": Family("Qwen2Config", IM[:2], settings={
        "use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 1,
    }),
    "Qwen3": Family("Qwen3Config", IM, CHATML, pads="<|endoftext|>"),
    "Mistral": Family("MistralConfig", ("<unk>", "<s>", "</s>"), MISTRAL, "<s>", spaces="first",
                      settings={"sliding_window": WINDOW}),
    "Mistral base": Family("MistralConfig", ("<unk>", "<s>", "</s>"), None, "<s>", spaces="first",
                           settings={"sliding_window": None}),
    "Gemma 3": Family("Gemma3TextConfig", TURNS, GEMMA, "<bos>", "<pad>",
                      spaces="never", settings=HYBRID | {"tie_word_embeddings": True}),
    "Gemma 3 base": Family("Gemma3TextConfig", TURNS, None, "<bos>", "<pad>",
                           spaces="never", settings=HYBRID | {"tie_word_embeddings": True}),
    "Gemma 2, capped logits": Family("Gemma2Config", TURNS, GEMMA, "<bos>", "<pad>",
                      spaces="never", settings=HYBRID | {"final_logit_softcapping": 3.0}),
    "SmolLM2": Family("LlamaConfig", IM, BE_KIND + CHATML, pads="<|im_end|>", settings={"tie_word_embeddings": True}),
    "LFM2, a cache of convolutions": Family("Lfm2Config", IM, CHATML, pads="<|endoftext|>", settings={
        "layer_types": ["conv", "full_attention"], "block_auto_adjust_ff_dim": False,
    }),
}  # fmt: skip


def family_model(name: str, seed: int = 0) -> LanguageModel:
    """A model of the family with its tokenizer and template, as `load_model` gives them."""
    family = FAMILIES[name]
    tokenizer = family_tokenizer(family)
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": None}
    config = getattr(transformers, family.config)(**SHAPE | ids | {"vocab_size": len(tokenizer)} | family.settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config).float().eval()
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="chat template not used")  # Mistral's, see test_families
        template = choose_template(tokenizer)
    return LanguageModel(
        model=model, tokenizer=tokenizer, name=name, fingerprint=fingerprint_weights(model, tokenizer),
        device=torch.device("cpu"), dtype=torch.float32, template=template,
    )  # fmt: skip


def family_tokenizer(family: Family) -> PreTrainedTokenizerFast:
    """Byte-pair encoding of a few texts, by the family's rules for digits, spaces and special tokens."""
    tokenizer = Tokenizer(models.BPE())
    digits = pre_tokenizers.Split(Regex(rf"\p{{N}}{{1,{family.digits}}}"), behavior="isolated")
    if family.spaces:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [digits, pre_tokenizers.Metaspace(prepend_scheme=family.spaces)]
        )
        tokenizer.decoder = decoders.Metaspace(prepend_scheme=family.spaces)
        alphabet = [chr(code) for code in range(32, 127)] + ["\n", "▁"]
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=360, initial_alphabet=alphabet, special_tokens=list(family.specials), show_progress=False
    )
    tokenizer.train_from_iterator([*TEXTS, "It is 123, 456 and 78."], trainer)
    if family.begins:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{family.begins} $A", special_tokens=[(family.begins, tokenizer.token_to_id(family.begins))]
        )
    ends = "<|eot_id|>" if family.template is LLAMA_3 else family.specials[-1]
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=family.begins, eos_token=ends, pad_token=family.pads,
        clean_up_tokenization_spaces=False,
    )  # fmt: skip
    fast.add_special_tokens({"extra_special_tokens": [one for one in family.specials if one != ends]})
    fast.chat_template = family.template
    return fast
