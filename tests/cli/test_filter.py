import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from qc.config.assess import AssessSettings
from qc.config.filter import FilterSettings
from qc.config.profile import load_profile
from qc.errors import RunError
from qc.exchange.rasters import read_artefact_map, write_artefact_map
from qc.labels import ArtefactClass
from qc.manifest import read_manifest
from qc.maps import ArtefactMap
from qc.pipeline.filter_runs import filter_runs, read_runs
from qc.pipeline.folder import RunFolder
from qc.pipeline.run import assess_many
from qc.record import Assessed
from qc.slide.files import find_slides
from qc.store import queries
from qc.store.database import Store, sqlite_url
from qc.store.decision import Action, Choice, Reason, SlideKey
from qc.store.people import Actor, Role, local_admin

Qc = Callable[..., tuple[int, str, str]]
SMALL = ("--tile-px", 64, "--tile-mpp", 1)


@pytest.fixture(scope="module")
def run_folder(small_tiff: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over a good slide, a copy of it and a file that is no slide."""
    folder = tmp_path_factory.mktemp("filter")
    (folder / "slides").mkdir()
    for name in ("one.tiff", "two.tiff"):
        shutil.copy(small_tiff, folder / "slides" / name)
    (folder / "slides" / "broken.svs").write_text("no slide")
    files = find_slides([folder / "slides"])
    assess_many(files, RunFolder(folder / "run"), AssessSettings(), load_profile("default"))
    return folder / "run"


def cohort(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("slide,patient,label,age", *lines)))
    return path


def whole_slide(folder: Path, stem: str) -> Path:
    """An annotation that calls all of a slide tumour."""
    folder.mkdir()
    outline = {"name": "all", "vertices": [[0, 0], [1000, 0], [1000, 900], [0, 900]]}
    (folder / f"{stem}.json").write_text(json.dumps({"positive": [outline], "negative": []}))
    return folder


def test_slides_that_the_cohort_table_does_not_name_are_left_out_when_asked(qc: Qc, run_folder: Path, tmp_path: Path):
    table = cohort(tmp_path / "c.csv", "one.tiff,p1,FL,61", "elsewhere,p7,FH,40")
    stranger = cohort(tmp_path / "d.csv", "elsewhere,p7,FH,40")
    told = ("filter", run_folder, "--out", tmp_path / "m.parquet", "--only-cohort", *SMALL)

    code, _, err = qc(*told, "--cohort", table)
    refused, _, why = qc(*told, "--cohort", stranger)
    unusable, _, _ = qc(*told)

    assert (code, refused, unusable) == (0, 2, 2)
    assert "2 slides that the cohort table does not name left out" in err
    assert "names no slide of the runs" in why
    assert read_manifest(tmp_path / "m.parquet").slides["patient"].tolist() == ["p1"]


def test_a_run_becomes_a_manifest_with_every_slide_accounted_for(qc: Qc, run_folder: Path, tmp_path: Path):
    table = cohort(tmp_path / "c.csv", "one.tiff,p1,FL,61", "two,p2,FH,", "broken,p3,FL,70")

    code, out, _ = qc("filter", run_folder, "--out", tmp_path / "m.parquet", "--cohort", table, *SMALL)

    manifest = read_manifest(tmp_path / "m.parquet")
    assert code == 0
    assert "3 slides: 2 kept, 1 unassessed" in out
    assert len(manifest.kept) > 20
    assert dict(zip(manifest.slides["patient"], manifest.slides["status"], strict=True)) == {
        "p1": "kept",
        "p2": "kept",
        "p3": "unassessed",
    }
    assert set(zip(manifest.tiles["patient"], manifest.tiles["label"], strict=True)) == {("p1", "FL"), ("p2", "FH")}
    assert manifest.clinical_columns == ("age",)


def test_the_tissue_that_is_kept_is_the_tissue_that_was_mapped(qc: Qc, run_folder: Path, tmp_path: Path):
    settings = tmp_path / "all.toml"
    settings.write_text("[tiles]\ntissue_min = 0.001\nhole_um = 0\n")

    qc("filter", run_folder, "--out", tmp_path / "m.parquet", "--settings", settings, *SMALL)

    slides = read_manifest(tmp_path / "m.parquet").slides.query("status == 'kept'")
    assert slides["candidates_mm2"].to_numpy() == pytest.approx(slides["tissue_mm2"].to_numpy(), rel=0.02)


def test_a_persons_decision_wins_over_the_verdict(qc: Qc, run_folder: Path, tmp_path: Path):
    run = shutil.copytree(run_folder, tmp_path / "run")
    store = Store(sqlite_url(run / "store.sqlite"))
    run_id = RunFolder(run).read_note().run_id
    one = next(record for record in store.records(run_id) if record.stamp.slide_id.startswith("one"))
    key = SlideKey(run_id=run_id, slide_id=one.stamp.slide_id, slide_fingerprint=one.stamp.slide_fingerprint)
    ann = Actor(subject="ann", name="Ann", role=Role.TECHNICIAN)
    decision = store.decide(ann, key, Choice(action=Action.EXCLUDE, reason=Reason.WRONG_SLIDE))

    qc("filter", run, "--out", tmp_path / "m.parquet", *SMALL)
    store.undo(ann, decision.id)
    store.close()
    qc("filter", run, "--out", tmp_path / "undone.parquet", *SMALL)

    tiles = read_manifest(tmp_path / "m.parquet").by_slide()[key.slide_id]
    assert set(tiles["reason"]) == {"excluded by Ann"}
    assert len(read_manifest(tmp_path / "undone.parquet").kept) > len(read_manifest(tmp_path / "m.parquet").kept)


def test_another_profile_judges_again_without_assessing(qc: Qc, run_folder: Path, tmp_path: Path):
    code, _, _ = qc("filter", run_folder, "--profile", "lymphoma", "--out", tmp_path / "m.parquet", *SMALL)

    slides = read_manifest(tmp_path / "m.parquet").slides
    assert code == 1  # lymphoma wants more tissue than these slides have: no tile is left
    assert set(slides["verdict_by"]) == {"lymphoma 2", ""}
    assert "mm2 usable" in "".join(slides["why"])


def test_limits_that_people_put_in_force_judge_unless_a_profile_is_named(qc: Qc, run_folder: Path, tmp_path: Path):
    run = shutil.copytree(run_folder, tmp_path / "run")
    lymphoma = Path(__file__).parents[2] / "qc/profiles/lymphoma.toml"
    store = Store(sqlite_url(run / "store.sqlite"))
    store.judge_run(local_admin(), RunFolder(run).read_note().run_id, lymphoma.read_text())
    store.close()
    told = ("--out", tmp_path / "m.parquet", *SMALL)

    in_force, _, _ = qc("filter", run, *told)
    manifest = read_manifest(tmp_path / "m.parquet")
    named, _, _ = qc("filter", run, "--profile", "default", *told)

    assert (in_force, named) == (1, 0)
    assert set(manifest.slides["verdict_by"]) == {"lymphoma 2", ""}
    assert manifest.note.profile == "lymphoma 2"
    assert "lymphoma 2" not in set(read_manifest(tmp_path / "m.parquet").slides["verdict_by"])


def test_runs_that_are_judged_by_different_limits_need_a_profile(run_folder: Path):
    runs = read_runs([RunFolder(run_folder)])
    mixed = replace(runs, profiles=(load_profile("default"), load_profile("lymphoma")))

    with pytest.raises(RunError, match=r"different limits, default \d+ and lymphoma 2; .* or pass --profile"):
        filter_runs(mixed, FilterSettings())


def test_people_are_asked_about_slides_of_which_nothing_is_left(qc: Qc, run_folder: Path, tmp_path: Path):
    run = RunFolder(shutil.copytree(run_folder, tmp_path / "run"))
    one = next(record.stamp.slide_id for record in run.records() if isinstance(record, Assessed))
    drawn = read_artefact_map(run.slide(one).artefacts)
    folds = np.full_like(drawn.classes, ArtefactClass.FOLD)
    write_artefact_map(ArtefactMap(folds, drawn.grid), run.slide(one).artefacts)
    command = ("filter", run.root, "--out", tmp_path / "m.parquet", *SMALL)
    store = Store(sqlite_url(run.store))

    def told() -> str:
        return qc(*command)[2].partition("0:00:00\n")[2]  # after the progress

    def asked() -> dict[str, str]:
        table = queries.worklist(store.engine, run.read_note().run_id)
        return dict(table[["slide_id", "asked_why"]].dropna().itertuples(index=False))

    silent, _, _ = qc(*command, "--no-ask")
    before = asked()
    said, again = told(), told()
    now, rows = asked(), len(store.audit())
    first = next(iter(queries.worklist(store.engine)["slide_id"]))
    write_artefact_map(drawn, run.slide(one).artefacts)
    withdrawn = told()

    assert (silent, before, again, rows) == (0, {}, "", 1)
    assert said == f"people are asked to review: {one}\n"
    assert first == one  # before the slide that could not be read
    assert now[one].startswith("0 of ")
    assert now[one].endswith("tiles would be left, at least 4 wanted")
    assert (withdrawn, asked()) == (f"no longer asked about: {one}\n", {})
    assert {entry.subject for entry in store.audit()} == {local_admin().subject}
    assert store.verify().is_whole
    store.close()


def test_pictures_show_each_slide_with_its_tiles(qc: Qc, run_folder: Path, tmp_path: Path):
    qc("filter", run_folder, "--out", tmp_path / "m.parquet", "--pictures", tmp_path / "p", *SMALL)

    pictures = sorted((tmp_path / "p").glob("*.png"))
    assert [path.name.split("-")[0] for path in pictures] == ["one", "two"]
    colours = np.array(Image.open(pictures[0]).convert("RGB")).reshape(-1, 3)
    assert (colours == (0, 158, 60)).all(axis=1).sum() > 1000  # outlines of kept tiles


def test_classes_are_switched_off_from_a_manifest(qc: Qc, run_folder: Path, tmp_path: Path):
    qc("filter", run_folder, "--out", tmp_path / "m.parquet", *SMALL)

    code, out, _ = qc(
        "filter", "--from", tmp_path / "m.parquet", "--ignore", "fold", "--out", tmp_path / "o.parquet", "--json"
    )

    assert code == 0
    assert json.loads(out)["manifest"]["filter_settings"]["ignore"] == ["fold"]
    assert len(pd.read_parquet(tmp_path / "o.parquet")) == len(pd.read_parquet(tmp_path / "m.parquet"))


def test_lost_tumour_stops_the_manifest_unless_allowed(qc: Qc, run_folder: Path, tmp_path: Path):
    lesions = whole_slide(tmp_path / "lesions", "one")
    (lesions / "misspelt.xml").write_text("<Annotations/>")
    arguments = ("filter", run_folder, "--out", tmp_path / "m.parquet", "--lesions", lesions, *SMALL)

    code, out, err = qc(*arguments)
    is_written = (tmp_path / "m.parquet").exists()
    allowed, _, _ = qc(*arguments, "--allow-loss")

    assert (code, is_written, allowed) == (2, False, 0)
    assert "no tile" in out
    assert "annotations of no slide here: misspelt.xml" in err
    assert err.strip().splitlines()[-1].startswith("qc: the filter would take more than 10% of 1 of 1 lesions")
    assert (tmp_path / "m.parquet").exists()
    assert pd.read_csv(tmp_path / "m.lesions.csv")["lesion"].tolist() == ["all"]


def test_what_is_wrong_is_one_sentence_and_nothing_is_written(qc: Qc, run_folder: Path, tmp_path: Path):
    profile = tmp_path / "p.toml"
    profile.write_text((Path(__file__).parents[2] / "qc/profiles/default.toml").read_text() + "folds = 1\n")
    other = tmp_path / "other"
    assess_many(
        find_slides([run_folder.parent / "slides" / "broken.svs"]),
        RunFolder(other),
        AssessSettings(),
        load_profile("smear"),
    )
    one = str(run_folder.parent / "slides" / "one.tiff")
    wrong = {
        ("--profile", profile): "unknown key reject.folds",
        ("--cohort", cohort(tmp_path / "a.csv", "one,p1,FL,1", "two,p2,FL,1")): "no line for slide broken-",
        ("--cohort", cohort(tmp_path / "b.csv", "one,p1,FL,1", "two,p2,FL,1", "broken,p3,FL,1", f"{one},p9,FL,1")): (
            "names " + one + " twice, with patients p1 and p9"
        ),
        ("--lesions", whole_slide(tmp_path / "les", "none")): "is named like a slide of the manifest",
        (other,): "were made with different settings, profiles or networks",
        (run_folder,): "is in two of the runs",
        ("--store", f"sqlite:///{tmp_path / 'empty.sqlite'}"): "the store does not know the run",
    }
    for arguments, sentence in wrong.items():
        code, _, err = qc("filter", run_folder, *arguments, "--out", tmp_path / "m.parquet", *SMALL)

        assert code == 2
        assert sentence in err.splitlines()[-1]
        assert list(tmp_path.glob("m.*")) == []
