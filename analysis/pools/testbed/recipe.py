"""What the two pools are made of, as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from analysis.pools.testbed.families import SKILLS
from analysis.pools.testbed.subset import skills_of


@dataclass(frozen=True)
class Recipe:
    """Shares are probabilities per row. `sources` maps a family to the names its rows may come from."""

    name: str
    skill_weights: dict[str, float]
    fault_weights: dict[str, float]
    near_duplicate_share: float
    multi_turn_share: float
    system_share: float
    careless_share: float
    sources: dict[str, tuple[str, ...]]

    @property
    def fault_share(self) -> float:
        return sum(self.fault_weights.values())

    def draw_skill(self, rng: Random, skills: int | None = None) -> str:
        """A skill's name, among all or among `skills` of them."""
        names = skills_of(skills)
        return rng.choices(names, [self.skill_weights[name] for name in names])[0]

    def draw_fault(self, rng: Random) -> str:
        """A fault's name, or "" for a correct row."""
        point = rng.random()
        for fault, share in self.fault_weights.items():
            point -= share
            if point < 0:
                return fault
        return ""


_COLLECTIONS = ("primer", "tutor", "forum")


def _near_uniform() -> dict[str, float]:
    rng = Random(1)
    return {name: rng.uniform(0.8, 1.2) for name in SKILLS}


def _zipf(exponent: float) -> dict[str, float]:
    ranks = list(range(1, len(SKILLS) + 1))
    Random(2).shuffle(ranks)  # a fixed order: which skills are common is part of the pool's character
    return {name: rank**-exponent for name, rank in zip(SKILLS, ranks, strict=True)}


def _by_family(families: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {family: tuple(f"{family}-{collection}" for collection in _COLLECTIONS) for family in families}


_FAMILIES = tuple(dict.fromkeys(skill.family for skill in SKILLS.values()))
RECIPES = {
    "curated": Recipe(
        name="curated",
        skill_weights=_near_uniform(),
        fault_weights={"wrong answer": 0.02, "truncated": 0.005, "off-topic": 0.005, "refusal": 0.005, "garbled": 0.005},
        near_duplicate_share=0.02,
        multi_turn_share=0.0,
        system_share=0.0,
        careless_share=0.0,
        sources=_by_family(_FAMILIES),
    ),
    "wild": Recipe(
        name="wild",
        skill_weights=_zipf(1.1),
        fault_weights={
            "wrong answer": 0.09, "truncated": 0.04, "off-topic": 0.04, "refusal": 0.03, "garbled": 0.025,
            "other language": 0.025,
        },
        near_duplicate_share=0.10,
        multi_turn_share=0.30,
        system_share=0.08,
        careless_share=0.30,
        sources=dict.fromkeys(_FAMILIES, ("chat-web", "chat-phone", "chat-api", "chat-plugin")),
    ),
}  # fmt: skip
STYLE_WEIGHTS = {"terse": 0.35, "worked": 0.35, "verbose": 0.30}
