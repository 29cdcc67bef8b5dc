"""What forecasters are off by on `datasets/forecast`: the baselines, a linear autoregression, networks, the floor.

Seeds 0 to 4 of the data and of the start, one core; each line is a mean (least-greatest) of the mean absolute error on
histories of 36, 48, 60 and 72 months, divided by that of the better of the two naive forecasts.
`python benchmarks/forecast.py [SEEDS]`.
"""

import os
import sys

os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}

from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import layers
from sklearn.linear_model import LinearRegression

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "forecast"
GENERATE = load_module(FOLDER / "generate.py")
SHORTEST, AHEAD = 36, GENERATE.HORIZON
NETWORKS = {
    "SimpleRNN(64)": (lambda: layers.SimpleRNN(64), 0.003),
    "SimpleRNN(8)": (lambda: layers.SimpleRNN(8), 0.003),
    "GRU(32)": (lambda: layers.GRU(32), 0.005),
}


def numbers(column: pd.Series) -> list[np.ndarray]:
    return [np.array(text.split(), np.float32) for text in column]


def windows() -> tuple[np.ndarray, np.ndarray]:
    """Every fourth window of 36 + 12 months in train.csv: histories (n, 36), futures (n, 12)."""
    data = pd.read_csv(FOLDER / "train.csv")
    cut = np.lib.stride_tricks.sliding_window_view
    pairs = zip(numbers(data.history), numbers(data.future), strict=True)
    rows = np.concatenate([cut(np.concatenate(pair), SHORTEST + AHEAD)[::4] for pair in pairs])
    return np.split(rows, [SHORTEST], axis=1)


def network(name: str, x: np.ndarray, y: np.ndarray, epochs: int = 10) -> keras.Model:
    recurrent, rate = NETWORKS[name]
    model = keras.Sequential(
        [keras.Input((None, 1)), recurrent(), layers.Dense(64, activation="relu"), layers.Dense(AHEAD)]
    )
    falling = keras.optimizers.schedules.CosineDecay(rate, epochs * -(-len(x) // 64))
    model.compile(keras.optimizers.Adam(falling, clipnorm=1.0), "mae", jit_compile=True)
    model.fit(x[..., None], y, batch_size=64, epochs=epochs, verbose=0)
    return model


def errors(forecast: dict, seed: int) -> pd.Series:
    """Return the error of each forecaster on 250 new histories of each length, divided by the better naive one's."""
    rows = []
    for length in (36, 48, 60, 72):
        data = GENERATE.make(1000 * seed + length, 250, length)
        history, future = (np.stack(numbers(data[column])) for column in data)
        expected, _ = GENERATE.process(1000 * seed + length, 250, length)
        predictions = {name: predict(history) for name, predict in forecast.items()}
        predictions |= {"floor: the process itself, without its errors": expected[:, length:]}
        rows.append({name: abs(prediction - future).mean() for name, prediction in predictions.items()})
    mean = pd.DataFrame(rows).mean()
    return mean / mean[["last value", "last season"]].min()


def seasons(history: np.ndarray) -> np.ndarray:
    """Return the mean of each month over the whole seasons of a history."""
    count = history.shape[1] // AHEAD * AHEAD
    return history[:, -count:].reshape(len(history), -1, AHEAD).mean(axis=1)


def main(seeds: int = 5) -> None:
    """Print a line for each forecaster."""
    x, y = windows()
    linear = LinearRegression().fit(x, y)
    forecast = {
        "last value": lambda history: np.repeat(history[:, -1:], AHEAD, axis=1),
        "last season": lambda history: history[:, -AHEAD:],
        "mean of all seasons": seasons,
        "linear, on 36 months": lambda history: linear.predict(history[:, -SHORTEST:]),
    }
    table = []
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        trained = {name: network(name, x, y) for name in NETWORKS}
        table.append(
            errors(
                forecast
                | {name: lambda h, m=m: m.predict_on_batch(h[..., None]) for name, m in trained.items()},
                seed,
            )
        )
    for name, values in pd.DataFrame(table).items():
        print(f"{name:>46}: {values.mean():.3f} ({values.min():.3f}-{values.max():.3f})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
