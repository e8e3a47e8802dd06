"""Where released scripts compute something else than the paper defines: both forms of a method, as calls."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from analysis.methods.calls import call, parse
from analysis.methods.labels import label


@dataclass(frozen=True)
class Deviation:
    """A method, in a few words what the released script does, and the options of both forms."""

    method: str
    what: str
    paper: dict = field(default_factory=lambda: {"variant": "original"})
    script: dict = field(default_factory=lambda: {"variant": "released"})


# Of the study's scripts (Xia et al. 2024), and of authors' own scripts where the default here follows them.
DEVIATIONS = (
    Deviation("cross_entropy", "logits not shifted"),
    Deviation("ifd", "answers cut from text"),
    Deviation("selectit", "another rated text"),
    Deviation("selectit", "softmax taken twice", {"normalised": "once"}, {"normalised": "twice"}),
    Deviation("less", "one target, from the pool"),
    Deviation("diverse_evol", "farthest rows at once"),
    Deviation("zip_compression", "records with their fields", {"variant": "text"}, {"variant": "record"}),
    Deviation("rds_plus", "a taken row's turn is lost", {"taken": "next"}, {"taken": "lost"}),
)


@dataclass(frozen=True)
class Pair:
    """A deviation's name in figures, and the calls of the paper's form and of the released one."""

    name: str
    original: str
    released: str


def pairs(methods: Sequence[str]) -> list[Pair]:
    """Both forms of every deviation of these methods, given as calls; their other options are those of both forms.

    None given stands for every method of which a deviation is known.

    Raises
    ------
    ValueError
        A method of which no deviation is known (lists those of which one is).
    """
    found = []
    for method in methods or dict.fromkeys(one.method for one in DEVIATIONS):
        name, _ = parse(method)
        own = [one for one in DEVIATIONS if one.method == name]
        if not own:
            known = ", ".join(dict.fromkeys(one.method for one in DEVIATIONS))
            raise ValueError(f"methods: no deviation of a released script is known of {method!r}; expected {known}")
        plain = {option: value for option, value in parse(method)[1].items() if option != "variant"}
        found += [
            Pair(
                f"{label(call(name, **plain))}: {one.what}",
                call(name, **plain | one.paper),
                call(name, **plain | one.script),
            )
            for one in own
        ]
    return list(dict.fromkeys(found))
