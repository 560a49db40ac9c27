"""From tiles to slides: the share of a slide's tiles that are called. In: chances of tiles. Out: one row per slide."""

import pandas as pd

CALLED_FROM = 0.5


def slide_scores(tiles: pd.DataFrame, slides: pd.DataFrame) -> pd.DataFrame:
    """Score of each slide: 0.98 means that 98 % of its tiles were called positive.

    Args:
        tiles: With `slide_id` and `probability` of the positive label, 0-1.
        slides: With `slide_id`, `person` and `target`, one row per slide; slides without tiles belong in it.

    Returns:
        `slides` with `tiles`, `score` (0-1) and `mean_probability`; NaN for a slide without tiles, which nobody
        may call.

    >>> tiles = pd.DataFrame({"slide_id": ["a", "a", "a", "a"], "probability": [0.9, 0.6, 0.5, 0.1]})
    >>> slides = pd.DataFrame({"slide_id": ["a", "b"], "person": ["p", "q"], "target": [1, 0]})
    >>> slide_scores(tiles, slides)[["slide_id", "tiles", "score"]].values.tolist()
    [['a', 4, 0.75], ['b', 0, nan]]
    """
    called = tiles.assign(score=(tiles["probability"] >= CALLED_FROM).astype("float64"))
    grouped = called.groupby("slide_id")
    found = grouped.agg(tiles=("score", "size"), score=("score", "mean"), mean_probability=("probability", "mean"))
    merged = slides.join(found, on="slide_id")
    merged["tiles"] = merged["tiles"].fillna(0).astype("int64")
    return merged


def slides_of(table: pd.DataFrame) -> pd.DataFrame:
    """`slide_id`, `person` and `target` of a tile table's slides."""
    first = table.groupby("slide_id", sort=True).first().reset_index()
    return first.loc[:, ["slide_id", "person", "target"]]
