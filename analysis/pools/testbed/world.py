"""The fictional world: its names, its words and its facts, the same in every draw of a pool."""

from random import Random

WORLD_VERSION = "1"

NOUNS = tuple(
    "apple arrow badge basin basket beacon bell blanket boat bottle bowl bridge bucket button cabin candle "
    "canoe carpet castle cellar chair chain circle clock cloud coat coin collar corner cotton cradle crown "
    "curtain desk diamond dollar door drawer drum eagle engine fan feather fence field finger flag flower "
    "flute forest fork fountain garden gate ghost glove goat grape guitar hammer harbor hat hill hook horn "
    "horse island jacket jar jewel kettle key kite ladder lake lamp lantern leg lemon letter lid lion lock "
    "magnet map marble mask meadow medal melon mirror moon mountain nail napkin needle nest notebook ocean "
    "onion orange oven owl paddle page paper parrot pearl pebble pen pencil pepper piano pillow pin pipe "
    "planet plate pocket pond potato pot prism puzzle rabbit raft rail razor ribbon ring river road robe "
    "robot rocket roof room rope sail salad saddle scarf school seed shell ship shirt shoe shovel signal "
    "skirt sock sofa song spoon stair stamp star stone stool storm stove string sugar table tail tent "
    "thread throne ticket tiger tool towel tower train tray tree trumpet tunnel turtle umbrella valley vase "
    "village violin wagon wall wallet whale wheel whistle window wing winter wire hare yard zebra".split()
)
OPPOSITES = tuple(
    tuple(pair.split("-"))
    for pair in "hot-cold big-small tall-short fast-slow light-dark early-late open-closed full-empty hard-soft "
    "high-low long-brief loud-quiet new-old rich-poor strong-weak thick-thin wet-dry wide-narrow young-aged "
    "clean-dirty cheap-costly deep-shallow easy-tricky happy-sad heavy-airy kind-cruel near-far rough-smooth "
    "safe-risky sharp-blunt sweet-sour true-false warm-cool win-lose buy-sell push-pull start-stop up-down "
    "left-right day-night friend-enemy summer-frost north-south east-west first-final inside-outside give-take "
    "laugh-cry rise-fall".split()
)
ADJECTIVES = tuple(sorted({word for pair in OPPOSITES[:34] for word in pair}))
JOBS = tuple(
    "baker farmer sailor tailor miner weaver potter hunter teacher doctor painter singer dancer builder guard "
    "judge clerk pilot gardener carpenter printer fisher barber butcher librarian".split()
)
COLOURS = tuple("red blue green yellow purple brown black white pink silver".split())
FOODS = tuple("bread rice honey cheese nuts soup corn beans fish berries grass eggs".split())

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen \
seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def number_word(number: int) -> str:
    """English words of a whole number below 100, without hyphens."""
    if number < 20:
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens - 2] + (f" {_ONES[ones]}" if ones else "")


def _names(rng: Random, count: int, endings: tuple[str, ...], taken: set[str]) -> tuple[str, ...]:
    """Unique capitalised syllable names, none of which is a word of the world."""
    onsets, vowels = "b d f g k l m n p r s t v z br dr kr tr".split(), "a e i o u".split()
    names: list[str] = []
    while len(names) < count:
        name = (rng.choice(onsets) + rng.choice(vowels) + rng.choice(onsets) + rng.choice(endings)).capitalize()
        if name not in taken and name.lower() not in NOUNS:
            taken.add(name)
            names.append(name)
    return tuple(names)


_rng = Random(20241014)  # one constant: the bases are trained on these facts
_taken: set[str] = set()
PEOPLE = _names(_rng, 160, ("a", "o", "in", "el", "ia"), _taken)
LANDS = _names(_rng, 60, ("land", "nia", "stan"), _taken)
TOWNS = _names(_rng, 120, ("ton", "ville", "burg", "port"), _taken)
CREATURES = tuple(name.lower() for name in _names(_rng, 100, ("ax", "urk", "oth", "ipp"), _taken))

CAPITAL = dict(zip(LANDS, TOWNS, strict=False))
LAND_OF_TOWN = {town: land for land, town in CAPITAL.items()} | {
    town: LANDS[_rng.randrange(len(LANDS))] for town in TOWNS[len(LANDS) :]
}
JOB = {person: _rng.choice(JOBS) for person in PEOPLE}
HOME = {person: _rng.choice(TOWNS) for person in PEOPLE}
PET = {person: _rng.choice(CREATURES) for person in PEOPLE}
COLOUR = {creature: _rng.choice(COLOURS) for creature in CREATURES}
FOOD = {creature: _rng.choice(FOODS) for creature in CREATURES}
