"""A loaded model as the evaluation harness asks one."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from analysis.models.language_model import LanguageModel

BATCH = 8  # items at once; their logits over a large vocabulary take the memory


def evaluated(
    language_model: LanguageModel, tasks: dict, *, shots: int | None, limit: int | None, chat: bool,
    max_new_tokens: int | None,
) -> dict[str, list[dict]]:  # fmt: skip
    """What the harness logs of every item, by task.

    Parameters
    ----------
    tasks : of the harness, by name.
    shots : none: what each task says; a task that says 0 keeps it.
    chat : worked examples and the item as turns of the model's template, as in training.

    Raises
    ------
    ValueError
        A task wants longer answers than the model's context holds.
    """
    from lm_eval.evaluator import evaluate

    with _only_errors():
        model = _wrapped(language_model, chat)
    for name, task in tasks.items():
        own = task.get_config("num_fewshot")
        task.set_config(key="num_fewshot", value=own or 0 if shots is None or own == 0 else shots)
        task.set_fewshot_seed(seed=1234)
        if task.OUTPUT_TYPE == "generate_until":
            if max_new_tokens:
                task.set_config(key="generation_kwargs", value={"max_gen_toks": max_new_tokens}, update=True)
            _check_room(name, task, model, language_model)
    with _only_errors():
        found = evaluate(
            lm=model, task_dict={"tasks": tasks, "groups": {}}, limit=limit, bootstrap_iters=0,
            apply_chat_template=chat, fewshot_as_multiturn=chat,
        )  # fmt: skip
    for name, samples in found["samples"].items():
        _tell_cut(name, samples, tasks[name], model, language_model)
    return found["samples"]


def _tell_cut(name: str, samples: list[dict], task, model, language_model: LanguageModel) -> None:
    """A warning where prompts had to be cut: then the first worked examples were not seen."""
    generates = task.OUTPUT_TYPE == "generate_until"
    room = model.max_length - (_longest(task, model) if generates else 1)
    prompts = {sample["doc_id"]: sample["arguments"][0][0] for sample in samples}
    long = [text for text in prompts.values() if len(text.encode()) > room]  # a token is a byte or more
    cut = sum(len(model.tok_encode(text)) > room for text in long)
    if cut:
        warnings.warn(
            f"benchmark {name!r}: {cut} of {len(prompts)} prompts are longer than the context of {language_model.name} "
            f"and lost their beginning",
            stacklevel=2,
        )


@contextmanager
def _only_errors() -> Iterator[None]:
    """Without the harness's notes on how it was called."""
    logger = logging.getLogger("lm_eval")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _check_room(name: str, task, model, language_model: LanguageModel) -> None:
    wanted = _longest(task, model)
    if wanted >= model.max_length:
        raise ValueError(
            f"benchmark {name!r}: answers of up to {wanted:,} tokens, but {language_model.name} has a context of "
            f"{model.max_length:,}; ask for fewer with max_new_tokens"
        )


def _longest(task, model) -> int:
    """Tokens of an answer, at most."""
    return task.config.generation_kwargs.get("max_gen_toks", model.max_gen_toks)


def _wrapped(language_model: LanguageModel, chat: bool):
    """The harness's wrapper of the model in memory, with the template and the end of training."""
    from lm_eval.models.huggingface import HFLM

    template, tokenizer = language_model.template, language_model.tokenizer
    end = tokenizer.convert_tokens_to_ids(template.end) if template.end else tokenizer.eos_token_id

    class Wrapped(HFLM):
        @property
        def eot_token_id(self) -> int:
            return end

        def apply_chat_template(self, chat_history: list[dict], add_generation_prompt: bool = True) -> str:
            pieces = template.pieces(chat_history)
            if not add_generation_prompt and template.end:
                pieces = pieces[:-1]  # an answer that was begun
            return "".join(text for text, _ in pieces)

        def loglikelihood(self, requests, disable_tqdm: bool = True):
            return super().loglikelihood(requests, disable_tqdm=disable_tqdm)

        def generate_until(self, requests, disable_tqdm: bool = True):
            return super().generate_until(requests, disable_tqdm=disable_tqdm)

        def _model_generate(self, *given, **options):
            ends = [end] if tokenizer.eos_token_id in (None, end) else [end, tokenizer.eos_token_id]
            return super()._model_generate(*given, eos_token_id=ends, **options)

    # A template's text has its own beginning; training adds none.
    bos = False if chat else None
    return Wrapped(pretrained=language_model.model, tokenizer=tokenizer, batch_size=BATCH, add_bos_token=bos)
