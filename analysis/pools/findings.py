"""What is found out about a row: why it cannot be used, and what its owner should know though it is."""


class Rejected(Exception):
    """Why a row cannot be used: the reason that it is counted under, the field, and what was found there."""

    def __init__(self, reason: str, field: str, found: object) -> None:
        super().__init__(f"{reason}: {field}: {found!r}")
        self.reason, self.field, self.found = reason, field, found


MEGABYTE = 1_000_000  # bytes


def too_long(megabytes: int, field: str, start: object = "") -> Rejected:
    """The row is longer than any that is held; its start says which it is."""
    return Rejected(f"longer than {megabytes} MB (allow more with longest_row=…)", field, start)


class Notes(list):
    """(what, field, found) of things about a row that its owner should know, though the row is used."""

    def add(self, what: str, field: str, found: object = "") -> None:
        self.append((what, field, found))
