"""Why each row of a selection was chosen: its rank, score, tokens, and the cluster or the target that it was chosen for."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.methods import Selection, calls, less, parse, rds_plus
from analysis.methods.calls import default_options
from analysis.models.encoding import count_tokens
from analysis.pools.pool import Messages


def chosen_because(work, selection: Selection, method: str | None, conversations: Sequence[Messages]) -> pd.DataFrame:
    """A line per chosen row, best first.

    Parameters
    ----------
    method : the call that selected; without one only scores are told.
    conversations : of the chosen rows.

    Returns
    -------
    Columns `rank` from 1; `id`, `file`, `row` and `source` where the pool has them; `tokens` of one epoch; of `kmeans`
    `cluster`; of `less` the `target` group along whose gradient a step on the row does most; of `rds_plus` the group and
    `target_row` (from 1, in that group) most like the row, and their `likeness` (cosine); `score`, higher is first.
    """
    known = [name for name in ("id", "file", "number", "source") if name in work.pool.rows.column_names]
    table = work.pool.rows.select_columns(known).select(selection.rows).to_pandas()
    if "file" in table:
        files = work.pool.provenance["files"]
        table["file"] = [files[one] for one in table["file"]]
    table = table.rename(columns={"number": "row"})
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    tokens = count_tokens(conversations, work.base.tokenizer, work.base.template)["total"]
    table["tokens"] = np.minimum(tokens, work.settings.max_tokens)
    name, given = parse(method) if method else ("", {})
    if name in ABOUT:
        table = table.assign(**ABOUT[name](work, selection.rows, default_options(name) | given))
    scores = selection.scores
    inside = calls.inner_call(name, given) if name else None
    if scores is None and inside:
        scores = calls.scored(inside, work.features, seed=work.selection_seed).scores
    return table if scores is None else table.assign(score=scores[selection.rows])


def _cluster(work, rows: np.ndarray, options: dict) -> dict:
    found = work.features.clusters(options["embedding"], options["clusters"], work.selection_seed)
    return {"cluster": found.labels[rows]}


def _influenced(work, rows: np.ndarray, options: dict) -> dict:
    """Nothing where the score is a mean over all targets, as the study's scripts have it."""
    by_group, cumulative = less.VARIANTS[options.pop("variant")]
    if not by_group:
        return {}
    options["targets"] = options["targets"] or "auto"
    found = less.influences_of(work.features, seed=work.selection_seed, **options)
    weights = less.epoch_weights(found.learning_rates, cumulative=cumulative)
    best = np.einsum("neg,e->ng", found.values[rows], weights).argmax(axis=1)
    return {"target": np.array(found.groups, dtype=object)[best]}


def _most_like(work, rows: np.ndarray, options: dict) -> dict:
    groups = work.features.targets(options["targets"])
    places = [(name, number) for name, members in groups.items() for number in range(1, len(members) + 1)]
    embedded = [work.features.embed(members, "weighted") for members in groups.values()]
    likeness = (
        rds_plus.normalised(work.features.embeddings("weighted")[rows])
        @ rds_plus.normalised(np.concatenate(embedded)).T
    )
    best = np.where(np.isnan(likeness), -np.inf, likeness).argmax(
        axis=1
    )  # a target that could not be embedded is never best
    named = pd.DataFrame([places[place] for place in best], columns=["target", "target_row"])
    return {"likeness": likeness[np.arange(len(rows)), best], **{name: named[name].to_numpy() for name in named}}


ABOUT = {"kmeans": _cluster, "less": _influenced, "rds_plus": _most_like}
