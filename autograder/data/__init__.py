"""Data sets: hidden, fresh and public draws from seeds, and real data that are downloaded once."""

from autograder.data._download import (
    NotFetched,
    download_size,
    fetch,
    is_fetched,
    is_remote,
    load_maker,
    open_cache,
    remote_datasets,
)
from autograder.data._generated import (
    DEMO_SECRET,
    SEED_FILE,
    HiddenData,
    hidden_data,
    new_term,
    practice_data,
    term_seed,
)

__all__ = [
    "DEMO_SECRET",
    "HiddenData",
    "NotFetched",
    "SEED_FILE",
    "download_size",
    "fetch",
    "hidden_data",
    "is_fetched",
    "is_remote",
    "load_maker",
    "new_term",
    "open_cache",
    "practice_data",
    "remote_datasets",
    "term_seed",
]
