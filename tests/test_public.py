"""The names that `import qc` promises, and the README's example."""

import re
from pathlib import Path

import pytest

import qc

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize("name", qc.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(qc, name) is not None


def test_type_checkers_see_the_same_names() -> None:
    source = Path(str(qc.__file__)).read_text("utf-8")

    stated = set(re.findall(r"import (\w+) as \1", source))

    assert stated == set(qc.__all__)


def test_the_example_in_the_readme_runs(tmp_path, monkeypatch, small_tiff, capsys) -> None:
    example = re.search(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert example is not None
    (tmp_path / "slides").symlink_to(small_tiff.parent)
    monkeypatch.chdir(tmp_path)

    exec(example[1], {})

    assert re.match(r"small-\w+ \w+ .+", capsys.readouterr().out)
