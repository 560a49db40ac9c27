"""What a trained model is made of: named arrays. In: parts of models. Out: the arrays of the whole, and back."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

Tensors = dict[str, NDArray[Any]]


def prefixed(name: str, tensors: Mapping[str, NDArray[Any]]) -> Tensors:
    """`name.key` for each key.

    >>> import numpy as np
    >>> list(prefixed("svm", {"bias": np.zeros(1)}))
    ['svm.bias']
    """
    return {f"{name}.{key}": value for key, value in tensors.items()}


def part(name: str, tensors: Mapping[str, NDArray[Any]]) -> Tensors:
    """What `prefixed` put in.

    >>> import numpy as np
    >>> list(part("svm", {"svm.bias": np.zeros(1), "pca.mean": np.zeros(1)}))
    ['bias']
    """
    start = f"{name}."
    return {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}
