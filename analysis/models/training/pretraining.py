"""Pre-training of a small base from scratch: its tokenizer, its architecture, its loop."""

import itertools
import platform
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn import functional
from tqdm import tqdm
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

END, PAD, SYSTEM, USER, ASSISTANT = "<|end|>", "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
CONTEXT = 2048


@dataclass(frozen=True)
class Architecture:
    """Size of a Llama-architecture model; input and output embeddings are shared."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int = 2048

    def model(self, seed: int) -> LlamaForCausalLM:
        """A randomly initialised model, the same for the same seed."""
        torch.manual_seed(seed)
        return LlamaForCausalLM(
            LlamaConfig(
                vocab_size=self.vocabulary, hidden_size=self.hidden, num_hidden_layers=self.layers,
                num_attention_heads=self.heads, num_key_value_heads=self.heads, intermediate_size=self.intermediate,
                max_position_embeddings=CONTEXT, tie_word_embeddings=True,
                bos_token_id=None, eos_token_id=0, pad_token_id=1,
            )
        )  # fmt: skip


@dataclass(frozen=True)
class Pretraining:
    """Settings of the loop. Learning rates warm up, stay, then fall linearly to zero over `decay_share`."""

    tokens: int
    sequence_length: int = 128
    batch_sequences: int = 32
    learning_rate: float = 6e-3
    weight_decay: float = 0.1
    warmup_steps: int = 100
    decay_share: float = 0.4

    @property
    def steps(self) -> int:
        return max(1, self.tokens // (self.sequence_length * self.batch_sequences))

    def rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        left = (self.steps - step) / max(1.0, self.decay_share * self.steps)
        return self.learning_rate * min(1.0, (step + 1) / self.warmup_steps, left)


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE in which every digit is a token of its own, with the turn markers as special tokens.

    Raises
    ------
    ValueError
        If `vocabulary` cannot hold the 256 bytes and the special tokens.
    """
    special = [END, PAD, SYSTEM, USER, ASSISTANT]
    if vocabulary < 256 + len(special):
        raise ValueError(f"vocabulary is {vocabulary}; expected at least {256 + len(special)} (bytes and turn markers)")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, pad_token=PAD, model_max_length=CONTEXT,
        extra_special_tokens=[SYSTEM, USER, ASSISTANT],
    )  # fmt: skip
    fast.chat_template = CHAT_TEMPLATE
    return fast


def packed_batches(
    documents: Iterable[str], tokenizer: PreTrainedTokenizerFast, settings: Pretraining
) -> Iterator[torch.Tensor]:
    """Batches of int64 token ids, (batch_sequences, sequence_length): documents joined by the end token, cut evenly."""
    size, waiting = settings.batch_sequences * settings.sequence_length, []
    stream, backend = iter(documents), tokenizer.backend_tokenizer
    while chunk := list(itertools.islice(stream, 256)):
        for encoding in backend.encode_batch_fast(chunk, add_special_tokens=False):
            waiting.extend(encoding.ids)
            waiting.append(tokenizer.eos_token_id)
        while len(waiting) >= size:
            yield torch.tensor(waiting[:size]).view(settings.batch_sequences, settings.sequence_length)
            del waiting[:size]


def _optimizers(model: LlamaForCausalLM, settings: Pretraining) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices, AdamW for embeddings and norms: about twice the learning per token of AdamW alone."""
    hidden = [p for name, p in model.named_parameters() if p.dim() == 2 and "embed" not in name]
    other = [p for name, p in model.named_parameters() if p.dim() != 2 or "embed" in name]
    return [
        torch.optim.Muon(
            hidden,
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            adjust_lr_fn="match_rms_adamw",
        ),
        torch.optim.AdamW(other, lr=settings.learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    ]


def _can_compile() -> bool:
    return platform.system() == "Linux" and shutil.which("g++") is not None


def pretrain(
    documents: Iterable[str],
    tokenizer: PreTrainedTokenizerFast,
    architecture: Architecture,
    settings: Pretraining,
    *,
    seed: int,
    arithmetic: torch.dtype = torch.bfloat16,
    show_progress: bool = True,
) -> tuple[LlamaForCausalLM, list[dict]]:
    """Train a base on plain text until `settings.tokens` tokens are read or the documents end.

    Parameters
    ----------
    arithmetic : of the matrix products; a processor that has no bfloat16 needs several times as long for it as for float32.

    Returns
    -------
    model, log : the model in eval mode; one log row per 50 steps with step, tokens, loss (nats a token), seconds

    Raises
    ------
    ValueError
        If the documents do not fill one batch.
    """
    model = architecture.model(seed).train()
    optimizers = _optimizers(model, settings)
    # Compiling pays for itself after about a million tokens on two cores.
    run = torch.compile(model) if settings.tokens > 2_000_000 and _can_compile() else model
    log, losses, started, step = [], [], time.perf_counter(), -1
    batches = itertools.islice(packed_batches(documents, tokenizer, settings), settings.steps)
    bar = tqdm(
        batches,
        total=settings.steps,
        desc="pre-training",
        unit="step",
        disable=not show_progress,
        mininterval=5,
    )
    for step, batch in enumerate(bar):
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = settings.rate(step)
        with torch.autocast("cpu", torch.bfloat16, enabled=arithmetic == torch.bfloat16):
            logits = run(input_ids=batch, use_cache=False).logits
        loss = functional.cross_entropy(logits[:, :-1].flatten(0, 1).float(), batch[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if (step + 1) % 50 == 0 or step + 1 == settings.steps:
            seconds, tokens = time.perf_counter() - started, (step + 1) * batch.numel()
            log.append({"step": step + 1, "tokens": tokens, "loss": sum(losses) / len(losses), "seconds": seconds})
            bar.set_postfix(loss=f"{log[-1]['loss']:.3f}", tokens_per_second=f"{tokens / seconds:,.0f}")
            losses.clear()
    if step < 0:
        size = settings.batch_sequences * settings.sequence_length
        raise ValueError(f"documents hold fewer tokens than one batch; expected at least {size}")
    return model.eval(), log


def describe(architecture: Architecture, settings: Pretraining, seed: int) -> dict:
    """Everything that determines a base besides its text, for its record."""
    return {"architecture": asdict(architecture), "pretraining": asdict(settings), "seed": seed}
