"""The moths of `forecast` follow their rule: one year's height decides the next one's, and nothing else does."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "forecast"


@pytest.fixture(scope="module")
def forecast():
    return load_module(FOLDER / "generate.py")


def series(data):
    """History and future in one row, (n, length + 12)."""
    return np.array([(one.history + " " + one.future).split() for one in data.itertuples()], float)


def years(row):
    """Return the height of each year above the level, by least squares, for the best of 12 beginnings."""
    shape, fits = np.sin(np.pi * (np.arange(12) + 0.5) / 12) ** 2, []
    for begin in range(12):
        months = row[begin : begin + (len(row) - begin) // 12 * 12]
        count = len(months) // 12
        columns = np.column_stack([np.kron(np.eye(count), shape[:, None]), np.ones(len(months))])
        weights, *_ = np.linalg.lstsq(columns, months, rcond=None)
        fits.append((abs(months - columns @ weights).mean(), weights[:-1]))
    return min(fits, key=lambda fit: fit[0])


@pytest.mark.parametrize("length", [24, 36, 72])
def test_a_history_has_its_length_and_the_future_twelve_months(forecast, length):
    data = forecast.make(seed=1, count=50, length=length)
    assert list(data) == ["history", "future"] and len(data) == 50
    assert (
        data.history.str.split().str.len().eq(length).all() and data.future.str.split().str.len().eq(12).all()
    )
    assert (series(data) >= 0).all() and data.future.str.fullmatch(r"(\d\.\d ?){12}").all()


def test_each_year_follows_from_the_last_by_the_logistic_map(forecast):
    """Heights refitted from what is written, without the generator's hidden state, and the parabola through them."""
    pairs = [
        pair
        for row in series(forecast.make(2, 200, 72))
        for pair in zip(years(row)[1], years(row)[1][1:], strict=False)
    ]
    now, after = np.array(pairs).T / 4.0
    square, slope, constant = np.polyfit(now, after, 2)
    assert (
        abs(square + 3.8) < 0.25 and abs(slope - 3.8) < 0.25 and abs(constant) < 0.05
    )  # errors flatten it a little
    assert np.std(after - 3.8 * now * (1 - now)) < 0.1 < 0.2 < np.std(after)


def test_the_floor_is_the_noise_alone(forecast):
    expected, errors = forecast.process(3, 400, 36)
    assert abs(errors.std() - 0.15) < 0.005 and abs(errors.mean()) < 0.005
    assert abs(np.corrcoef(errors[:, 1:].ravel(), errors[:, :-1].ravel())[0, 1]) < 0.03
    written = series(forecast.make(3, 400, 36))
    assert abs(written - np.maximum(expected + errors, 0)).max() <= 0.05 + 1e-9
    off = [years(row)[0] for row in written]
    assert (
        0.1 < np.mean(off) < 0.13
    )  # the mean size of normal errors of 0.15 is 0.12, a little of it fitted away


def test_series_begin_in_every_month_and_are_new(forecast):
    rows = forecast.make(4, 600, 36)
    peaks = np.argmax(forecast.process(4, 600, 36)[0][:, :12], axis=1)
    assert set(peaks) == set(range(12))
    known = set(pd.read_csv(FOLDER / "train.csv").history)
    assert len(set(rows.history)) == 600 and not set(rows.history) & known


def test_the_same_seed_draws_the_same_and_another_seed_others(forecast):
    first, again, other = (forecast.make(seed, 20, 48) for seed in (7, 7, 8))
    assert first.equals(again) and not set(first.history) & set(other.history)


@pytest.mark.parametrize("wrong", [{"count": 0}, {"length": 23}])
def test_impossible_requests_are_refused(forecast, wrong):
    with pytest.raises(ValueError, match="0|23"):
        forecast.make(**{"seed": 1, "count": 4, "length": 36} | wrong)
