"""What starting the program costs: no command loads a library that it does not need."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "segmentation_models_pytorch", "albumentations", "streamlit", "sklearn"}
NOT_FOR_HELP = HEAVY | {"numpy", "pandas", "cv2", "openslide", "pydantic", "sqlalchemy", "rich"}


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [("qc.cli.main", NOT_FOR_HELP), ("qc.pipeline.run", HEAVY)],
)
def test_importing_loads_nothing_that_is_not_needed(module: str, unwanted: set[str]):
    code = f"import sys, {module}; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert unwanted & set(loaded) == set()


def test_a_network_on_the_processor_runs_without_torch():
    code = """
import sys
import numpy as np
from qc.nets.packaged import network_of
network_of("artefact-1", "artefact", "auto", "cpu").probabilities(np.zeros((64, 64, 3), np.uint8))
print(*sys.modules)
"""

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert HEAVY & set(loaded) == set()
