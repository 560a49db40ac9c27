import dataclasses
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qc.errors import ManifestError, RunError
from qc.manifest import Manifest, read_manifest, slide_frame, slides_csv, tile_frame, write_manifest

MakeManifest = Callable[..., Manifest]


def test_what_is_written_is_read_back(make_manifest: MakeManifest, tmp_path: Path):
    manifest = make_manifest(clinical={"age": 61.0, "ward": "north"})

    write_manifest(manifest, tmp_path / "m.parquet")
    back = read_manifest(tmp_path / "m.parquet")

    pd.testing.assert_frame_equal(back.tiles, manifest.tiles)
    pd.testing.assert_frame_equal(back.slides, manifest.slides, check_dtype=False)
    assert (back.note, back.clinical_columns) == (manifest.note, ("age", "ward"))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(patient=st.text(max_size=8), mpp=st.floats(0.1, 5), x=st.integers(0, 2**40))
def test_any_text_and_number_survives_the_file(
    patient: str, mpp: float, x: int, make_manifest: MakeManifest, tmp_path: Path
):
    patient = patient.encode("utf-8", "replace").decode()
    manifest = make_manifest({"patient": patient, "slide_mpp": mpp, "x_level0": [x, x + 1, x + 2]})

    write_manifest(manifest, tmp_path / "m.parquet")

    pd.testing.assert_frame_equal(read_manifest(tmp_path / "m.parquet").tiles, manifest.tiles)


def test_pandas_reads_the_tiles_in_one_line_and_the_accounts_lie_beside(make_manifest: MakeManifest, tmp_path: Path):
    write_manifest(make_manifest(), tmp_path / "m.parquet")

    assert pd.read_parquet(tmp_path / "m.parquet")["is_kept"].tolist() == [True, True, False]
    assert pd.read_csv(slides_csv(tmp_path / "m.parquet"))["kept"].tolist() == [2, 0]


def test_a_manifest_without_any_tile_is_a_manifest(make_manifest: MakeManifest, tmp_path: Path):
    slides = slide_frame([{"slide_id": "b-2", "status": "unassessed", "why": "unopenable"}])
    manifest = dataclasses.replace(make_manifest(), tiles=tile_frame(), slides=slides)

    write_manifest(manifest, tmp_path / "m.parquet")

    assert read_manifest(tmp_path / "m.parquet").kept.empty


def test_slides_get_a_split_by_name(make_manifest: MakeManifest):
    manifest = make_manifest().with_splits({"a-1": "train"})

    assert set(manifest.tiles["split"]) == {"train"}
    assert len(manifest.kept) == 2


def test_a_missing_file_is_one_sentence(tmp_path: Path):
    with pytest.raises(ManifestError, match=r"there is no manifest .*m.parquet; check the path"):
        read_manifest(tmp_path / "m.parquet")


def test_a_file_of_another_kind_is_one_sentence(tmp_path: Path):
    (tmp_path / "text.parquet").write_text("slide_id\n")
    pd.DataFrame({"slide_id": ["a"]}).to_parquet(tmp_path / "table.parquet")

    with pytest.raises(ManifestError, match=r"text.parquet is no Parquet file"):
        read_manifest(tmp_path / "text.parquet")
    with pytest.raises(ManifestError, match=r"table.parquet is no manifest: it does not say where it comes from"):
        read_manifest(tmp_path / "table.parquet")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.drop(columns="fold"), "has no column fold in its tile table"),
        (lambda t: t.assign(fold=t["fold"].astype("float64")), "has column fold of type float64, not float32"),
        (lambda t: t.assign(extra=1), "has a column extra that is no column of a manifest"),
        (lambda t: t.assign(settings_fingerprint=["f" * 64, "f" * 64, "0" * 64]), "mixes runs of different settings"),
        (lambda t: t.assign(is_kept=True), "keeps a tile that has a reason to go"),
        (lambda t: t.assign(x_level0=0), "holds a tile of a-1 twice"),
        (lambda t: t.assign(width_level0=0), "holds an empty tile"),
        (lambda t: t.assign(tissue=t["tissue"] * 2), "holds a share that is not between 0 and 1"),
        (lambda t: t.assign(clean=t["clean"] / 2), "classes do not add up"),
        (lambda t: t.iloc[:2], "holds other tiles of a-1 than its account says"),
        (lambda t: t.assign(slide_id="c-3"), "holds tiles of c-3 without an account"),
    ],
)
def test_parts_that_do_not_fit_are_one_sentence_in_memory_and_in_a_file(
    change: Callable[[pd.DataFrame], pd.DataFrame], sentence: str, make_manifest: MakeManifest, tmp_path: Path
):
    manifest = make_manifest()
    write_manifest(manifest, tmp_path / "m.parquet")
    metadata = pq.read_schema(tmp_path / "m.parquet").metadata
    changed = change(manifest.tiles)
    table = pa.Table.from_pandas(changed, preserve_index=False)
    key = b"slidegate"
    pq.write_table(table.replace_schema_metadata({key: metadata[key]}), tmp_path / "changed.parquet")

    with pytest.raises(ManifestError, match=sentence):
        dataclasses.replace(manifest, tiles=changed)
    with pytest.raises(ManifestError, match=f"changed.parquet .*{sentence}"):
        read_manifest(tmp_path / "changed.parquet")


def test_another_format_version_is_refused_by_number(make_manifest: MakeManifest, tmp_path: Path):
    path = tmp_path / "m.parquet"
    write_manifest(make_manifest(), path)
    table = pq.read_table(path)
    newer = table.schema.metadata[b"slidegate"].replace(b'"format_version": 1', b'"format_version": 9, "new_key": 1')
    pq.write_table(table.replace_schema_metadata({b"slidegate": newer}), path)

    with pytest.raises(ManifestError, match="has format version 9, this software reads version 1"):
        read_manifest(path)


def test_a_manifest_that_cannot_be_written_leaves_the_old_one(make_manifest: MakeManifest, tmp_path: Path):
    path = tmp_path / "m.parquet"
    write_manifest(make_manifest(), path)
    before = path.read_bytes()
    slides_csv(path).unlink()
    slides_csv(path).mkdir()

    with pytest.raises(RunError, match=r"m.slides.csv cannot be written"):
        write_manifest(make_manifest({"label": "FH"}), path)

    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["m.parquet", "m.slides.csv"]
