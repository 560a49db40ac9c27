"""What a trained model is made of: named arrays. In: parts of models. Out: the arrays of the whole, and back."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.generic]]


def prefixed(name: str, tensors: Mapping[str, NDArray[np.generic]]) -> Tensors:
    """`name.key` for each key.

    >>> list(prefixed("svm", {"bias": np.zeros(1)}))
    ['svm.bias']
    """
    return {f"{name}.{key}": value for key, value in tensors.items()}


def part(name: str, tensors: Mapping[str, NDArray[np.generic]]) -> Tensors:
    """What `prefixed` put in.

    >>> list(part("svm", {"svm.bias": np.zeros(1), "pca.mean": np.zeros(1)}))
    ['bias']
    """
    start = f"{name}."
    return {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}
