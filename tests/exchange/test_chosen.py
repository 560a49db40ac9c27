import pytest

from qc.errors import ExchangeError
from qc.exchange.chosen import chosen_ids

PATHS = {"a-1": "/x/a.svs", "a-2": "/y/a.svs", "b-3": "/x/b.ome.tif"}


@pytest.mark.parametrize(
    ("named", "ids"),
    [
        ([], ["a-1", "a-2", "b-3"]),
        (["a-2"], ["a-2"]),
        (["b.ome.tif", "a-1", "b.ome"], ["b-3", "a-1"]),
    ],
)
def test_slides_are_meant_by_id_file_name_or_stem(named, ids):
    assert chosen_ids(PATHS, named) == ids


@pytest.mark.parametrize(
    ("name", "says"), [("a.svs", "a.svs may be a-1 or a-2"), ("c", "there is no slide c; there are a-1, a-2, b-3")]
)
def test_a_name_that_fits_several_slides_or_none_is_one_sentence(name, says):
    with pytest.raises(ExchangeError, match=says):
        chosen_ids(PATHS, [name])
