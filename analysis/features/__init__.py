"""What a method may ask about the rows of a pool: computed once, in shards, and stored."""

# The module that makes each answer of `Features`; answers that are the pool's own rows need none.
MADE_BY = {
    "lengths": "analysis.models.encoding",
    "token_losses": "analysis.features.losses",
    "embeddings": "analysis.features.embeddings",
    "embed": "analysis.features.embeddings",
    "clusters": "analysis.features.clusters",
    "near_duplicates": "analysis.features.near_duplicates",
    "rating_logits": "analysis.features.ratings",
    "targets": "analysis.pools.targets",
    "influences": "analysis.features.influences",
    "after_finetuning": "analysis.features.tuned_models",
    "with_model": "analysis.models.language_model",
    "n_parameters": "analysis.models.language_model",
}
NEEDS_TOKENIZER = ("lengths",)
NEEDS_NO_BASE = ("near_duplicates", "targets")
