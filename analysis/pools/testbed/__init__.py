"""The embedded testbed: a generated world of skills with exactly gradable answers and known truth per row."""

from analysis.pools.testbed.evaluation import Item, evaluation_items, grade
from analysis.pools.testbed.faults import FAULTS
from analysis.pools.testbed.long_answers import LONG_ANSWERS
from analysis.pools.testbed.recipe import RECIPES
from analysis.pools.testbed.rows import COLUMNS, rows
from analysis.pools.testbed.subset import skills_of
from analysis.pools.testbed.world import WORLD_VERSION

__all__ = [
    "COLUMNS",
    "FAULTS",
    "LONG_ANSWERS",
    "RECIPES",
    "WORLD_VERSION",
    "Item",
    "evaluation_items",
    "grade",
    "rows",
    "skills_of",
]
