"""JSON of which nothing is lost: a name that stands twice in one object is found, and not the last one taken."""

import json

from analysis.pools.findings import Rejected

TWICE = "a name twice in one object, with two values (keep one)"


def from_members(members: list[tuple[str, object]]) -> dict:
    """An object of its names and values.

    Raises
    ------
    Rejected
        A name stands there twice, with two values.
    """
    found = dict(members)
    if len(found) < len(members):
        for name, value in members:
            if value != found[name]:
                raise Rejected(TWICE, name, [value, found[name]])
    return found


DECODER = json.JSONDecoder(object_pairs_hook=from_members)


def parsed(text: str) -> object:
    """The value of a text.

    Raises
    ------
    json.JSONDecodeError
        The text is not JSON.
    Rejected
        A name stands twice in one object, with two values.
    """
    return DECODER.decode(text)
