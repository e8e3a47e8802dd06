"""Tasks of the evaluation harness, with their data from the hub or from local files."""

import random
from functools import cache, partial
from pathlib import Path

from analysis.experiments.benchmarks.code_check import passes
from analysis.experiments.benchmarks.harness_data import FIELDS, Sets, local_sets

PREFIXES = {"bbh": "bbh_cot_fewshot_", "mmlu": "mmlu_"}  # of the names of their subtasks
# The harness's own form of HumanEval loads the code that runs answers from the hub, and runs it without limits of memory.
HUMANEVAL = {
    "task": "humaneval",
    "dataset_path": "openai/openai_humaneval",
    "output_type": "generate_until",
    "test_split": "test",
    "doc_to_text": "{{prompt}}",
    "doc_to_target": "{{test}}\ncheck({{entry_point}})",
    "metric_list": [{"metric": "pass@1", "aggregation": "mean", "higher_is_better": True}],
    "generation_kwargs": {
        "until": ["\nclass", "\ndef", "\n#", "\nif", "\nprint"],
        "max_gen_toks": 1024,
        "do_sample": False,
    },
    "num_fewshot": 0,
    "process_results": lambda doc, results: {
        "pass@1": passes(f"{doc['prompt']}{results[0]}\n{doc['test']}\ncheck({doc['entry_point']})")
    },
    "metadata": {"version": 1.0},
}


def load(task: str, data: str | None) -> dict:
    """The task, or the subtasks of a group, by name.

    Raises
    ------
    ValueError
        No such task, or one that would run code of the model here.
    OSError
        Its data cannot be had (says which, and how to give local files).
    """
    sets = None if data is None else local_sets(task, data)
    kind = _kind(sets)
    try:
        if task == "humaneval":
            return {task: kind(config=dict(HUMANEVAL))}
        if task not in FIELDS:
            asked: str | dict = task
        elif sets is None or task not in PREFIXES:
            asked = {"group": "asked", "task": [{"task": task, "class": kind}]}
        else:
            asked = {"group": "asked", "task": [{"task": PREFIXES[task] + name, "class": kind} for name in sets]}
        if unknown := sorted(_named(asked) - set(_manager(task).task_index)):
            raise ValueError(f"benchmark {task!r}: lm-eval has no task {unknown[0]!r}; `lm_eval ls tasks` lists them")
        tasks = _manager(task).load(asked)["tasks"]
    except OSError as error:
        raise _without_data(task, error) from error
    if unsafe := [name for name, one in tasks.items() if getattr(one, "UNSAFE_CODE", False)]:
        raise ValueError(
            f"benchmark {unsafe[0]!r} runs code that the model writes; of such only humaneval is asked here"
        )
    return tasks


def group(task: str, name: str) -> str:
    """What a subtask is called beside the others."""
    return name.removeprefix(PREFIXES.get(task, ""))


def further_settings(task: str) -> dict:
    """What else decides scores: whether nltk can tell sentences, without which some items of IFEval have no score."""
    return {"sentences": _tells_sentences()} if task == "ifeval" else {}


def _named(asked: str | dict) -> set[str]:
    return {asked} if isinstance(asked, str) else {one["task"] for one in asked["task"]}


@cache
def _manager(task: str):
    """The harness's index of its tasks; of all of them it takes ten seconds."""
    import lm_eval.tasks

    if task not in FIELDS:
        return lm_eval.tasks.TaskManager()
    folder = Path(lm_eval.tasks.__file__).parent / task
    return lm_eval.tasks.TaskManager(include_path=str(folder), include_defaults=False)


def _kind(sets: Sets | None):
    """The harness's kind of task, with the data of local files where there are any."""
    import lm_eval.api.task
    from tqdm import tqdm

    lm_eval.api.task.tqdm = partial(tqdm, disable=True)  # a bar for each of 57 subtasks of every run

    class Task(lm_eval.api.task.ConfigurableTask):
        def __init__(self, config: dict):
            super().__init__(config={name: value for name, value in config.items() if name != "class"})

        def download(self, *given, **options):
            if sets is None:
                return super().download(*given, **options)
            self.dataset = sets[self.config.dataset_name or ""]
            test = self.config.test_split
            for name in ("training_split", "fewshot_split"):
                if getattr(self.config, name) not in self.dataset:
                    setattr(self.config, name, None)
            if self.fewshot_cfg.split not in (None, *self.dataset):
                self.fewshot_cfg.split = test  # other items of the test: the harness leaves out the one asked
            return None

        def process_results(self, doc, results):
            return _checked(doc, results) if self.config.task == "ifeval" else super().process_results(doc, results)

    return Task


def _checked(doc: dict, results: list[str]) -> dict:
    """IFEval's own check, the same at every call; nan where it needs sentences and nltk's data are not there."""
    import langdetect
    from lm_eval.tasks.ifeval.utils import process_results

    langdetect.DetectorFactory.seed = 0
    state = random.getstate()
    random.seed(0)  # it draws what an item leaves open
    try:
        return process_results(doc, results)
    except LookupError:
        return {"prompt_level_strict_acc": float("nan")}
    finally:
        random.setstate(state)


@cache
def _tells_sentences() -> bool:
    import nltk
    from lm_eval.tasks.ifeval import instructions_util  # noqa: F401 - fetches what nltk needs where it can

    try:
        nltk.data.find("tokenizers/punkt_tab")
    except LookupError:
        return False
    return True


def _without_data(task: str, error: OSError) -> OSError:
    if task in FIELDS:
        how = f"give local files, {task}(data='FOLDER') with them in FOLDER/{task}"
    else:
        how = "make it once where there is a connection, from where it stays on this machine"
    return OSError(f"benchmark {task!r}: its data set is not here and cannot be fetched; {how} ({error})")
