"""Each data set's train.csv is, byte for byte, what its generate.py writes."""

import runpy
import shutil
from pathlib import Path

import pytest

WRITTEN = sorted(Path(__file__).parents[1].glob("datasets/*/train.csv"))


@pytest.mark.parametrize("written", WRITTEN, ids=lambda path: path.parent.name)
def test_train_csv_is_what_the_script_writes(written, tmp_path):
    folder = Path(shutil.copytree(written.parent, tmp_path / "data"))
    (folder / "train.csv").unlink()
    runpy.run_path(str(folder / "generate.py"), run_name="__main__")
    assert (folder / "train.csv").read_bytes() == written.read_bytes()
