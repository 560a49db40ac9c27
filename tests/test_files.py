import pickle

import pytest

from qc import errors
from qc.errors import QCError, SlideError
from qc.files import replacing, write_text


def test_a_file_appears_complete_and_nothing_lies_beside_it(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "schön")

    assert (tmp_path / "new" / "a.txt").read_text(encoding="utf-8") == "schön"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.txt"]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file_and_no_rubbish(tmp_path, kind):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted():
        with replacing(path) as partial:
            partial.write_text("half")
            raise kind

    with pytest.raises(kind):
        interrupted()

    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_the_partial_name_keeps_the_suffix_that_writers_choose_by(tmp_path):
    with replacing(tmp_path / "a.parquet") as partial:
        assert partial.suffix == ".parquet"


def slide_errors():
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SlideError)]


def test_every_reason_a_slide_can_fail_for_has_its_own_code():
    codes = [kind.reason for kind in slide_errors()]

    assert len(codes) == len(set(codes)) > 10


@pytest.mark.parametrize("kind", [QCError, *slide_errors()])
def test_an_error_survives_the_way_back_from_a_worker_process(kind):
    back = pickle.loads(pickle.dumps(kind("a.svs is odd", "look at it")))

    assert type(back) is kind
    assert (back.message, back.hint) == ("a.svs is odd", "look at it")
    assert str(back) == "a.svs is odd; look at it"
