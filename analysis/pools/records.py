"""Records of files and of the hub, each with the name for its id, where it is, and its number there."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from analysis.pools.findings import Rejected
from analysis.pools.how_to_read import HowToRead
from analysis.pools.reading import ROWS_AT_ONCE, read_records, records_of
from analysis.pools.testbed import RECIPES

Record = tuple[str, str, int, object]  # name for ids, file, row number, record or `Rejected`


def file_records(files: list[Path], how: HowToRead, skipped: dict[str, str]) -> Iterator[Record]:
    """Records of files, with a name for the ids of each; one of several that holds no row is skipped."""
    stems = Counter(file.name.split(".")[0] for file in files)
    given: Counter = Counter()
    for file in files:
        unique = stem = file.name.split(".")[0]
        while stems[stem] > 1 and (unique == stem or unique in stems):
            unique = f"{stem}-{given[stem]}"
            given[stem] += 1
        number = None
        for number, record in read_records(file, how):
            yield unique, str(file), number, record
        if number is None and len(files) > 1:
            skipped[str(file)] = "holds no row"


def hub_revision(name: str) -> str:
    import httpx2  # the client of huggingface_hub, whose errors it lets through
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        return HfApi().dataset_info(name).sha
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError, httpx2.HTTPError) as error:
        raise ValueError(
            f"pool {name!r}: not a file or folder here, not a testbed pool ({', '.join(RECIPES)}), and the hub does not "
            f"give a data set of this name: {type(error).__name__}"
        ) from error


def hub_records(name: str, revision: str, how: HowToRead) -> Iterator[Record]:
    """Records of the training split on the hub, streamed; a row that is too long never becomes an object."""
    from datasets import load_dataset

    rows = load_dataset(name, split="train", streaming=True, revision=revision).with_format("arrow")
    batches = (batch for table in rows.iter(ROWS_AT_ONCE) for batch in table.to_batches())
    for number, record in enumerate(record for batch in batches for record in records_of(batch, how.longest_row)):
        whole = rows.features is not None and not isinstance(record, Rejected)
        # Arrow has values of mixed kinds as texts of JSON; of which kind a column is, the features say.
        yield name.split("/")[-1], name, number, rows.features.decode_example(record) if whole else record
