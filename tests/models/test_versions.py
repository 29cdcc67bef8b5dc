"""Files of eight versions of Keras are read, and predict what the Keras that wrote them predicted."""

import io
import zipfile

import numpy as np
import pytest
from crafted import FIXTURES

from autograder.models import Predictor, read_model

FILES = [
    (archive.name, name)
    for archive in sorted(FIXTURES.glob("keras-*.zip"))
    for name in zipfile.ZipFile(archive).namelist()
    if name.endswith(".keras")
]


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor()


@pytest.mark.parametrize(("version", "name"), FILES)
def test_predicts_what_the_writing_version_predicted(version, name, predictor):
    with zipfile.ZipFile(FIXTURES / version) as archive:
        model = read_model(archive.read(name))
        expected = np.load(io.BytesIO(archive.read(name.replace(".keras", ".npz"))))
    inputs, outputs = ([row for key in expected if key[0] == side for row in expected[key]] for side in "xy")
    for one, other in zip(predictor.predict(model, inputs), outputs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)  # another backend, another order of sums


def test_versions_from_the_oldest_on_are_tried():
    versions = {version.removeprefix("keras-").removesuffix(".zip") for version, _ in FILES}
    assert {"3.3.3", "3.4.1", "3.6.0", "3.8.0", "3.10.0", "3.12.0", "3.13.0", "3.15.1"} <= versions
