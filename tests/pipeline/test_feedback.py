from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from qc.artefact.training.plan import plan_sources
from qc.config.assess import AssessSettings
from qc.config.profile import load_profile
from qc.config.stage import StageSettings
from qc.config.toml import load_settings
from qc.config.training import TrainingSources
from qc.errors import ExchangeError
from qc.exchange.feedback import Lesson, disagreements, with_marks_taken_back
from qc.exchange.geojson import feature_collection, write_geojson
from qc.exchange.rasters import read_artefact_map, write_artefact_map
from qc.geometry import Grid, Mpp, Size
from qc.labels import IGNORE, ArtefactClass, Verdict
from qc.maps import ArtefactMap, TissueMask
from qc.pipeline.feedback import write_feedback
from qc.pipeline.folder import RunFolder
from qc.pipeline.stored import Settled
from qc.record import Assessed, ClassCoverage, Stamp
from qc.store.decision import Action, Choice, Decision, Reason, SlideKey
from qc.store.people import Actor, Role

GRID = Grid(Size(1000, 900), Mpp(1.0), Mpp(2.0))
CLEAN, FOLD, PEN, GLASS = ArtefactClass.CLEAN, ArtefactClass.FOLD, ArtefactClass.PEN, ArtefactClass.GLASS


@pytest.fixture
def artefacts():
    classes = np.full(GRID.shape, GLASS, np.uint8)
    classes[50:400, 50:450] = CLEAN
    classes[100:200, 100:200] = FOLD
    classes[300:310, 300:310] = PEN
    return ArtefactMap(classes, GRID)


def a_record(slide_id, path, verdict, fold=0.1, pen=0.01):
    names = ("unassessed", "clean", "fold", "foreign", "pen", "bubble", "out_of_focus")
    shares = dict.fromkeys(names, 0.0) | {"fold": fold, "pen": pen}
    numbers = dict.fromkeys(("tissue_mm2", "usable_mm2", "focus_score", "stain_score", "seconds"), 1.0)
    texts = {"reason": "fold", "remedy": "", "profile": "p", "artefact_stage": "s", "findings": ()}
    return Assessed(
        stamp=Stamp.unkept(slide_id, str(path), "0"),
        verdict=verdict,
        **texts,
        **numbers,
        **{"width_px": 1000, "height_px": 900, "mpp": 1.0, "mpp_source": "header", "slide_format": "x"},
        **{"read_mpp": 1.0, "map_mpp": 2.0, "tiles": 1, "tiles_unread": 0},
        coverage={name: ClassCoverage(share=share, area_mm2=share) for name, share in shares.items()},
    )


def a_decision(slide_id, action, reason, note=""):
    return Decision(
        id=1,
        key=SlideKey(run_id="run", slide_id=slide_id, slide_fingerprint="f"),
        choice=Choice(action=action, reason=reason, note=note),
        by=Actor(subject="ann", name="Ann", role=Role.TECHNICIAN),
        at=datetime(2026, 11, 2, tzinfo=UTC),
    )


@pytest.fixture
def run(tmp_path, small_tiff, artefacts):
    """Two slides: one in review for a fold, one called usable."""
    run = RunFolder(tmp_path / "run")
    with run.locked():
        run.begin(AssessSettings(artefact=StageSettings(stage="rules")), load_profile("default"), "0")
    for slide_id, verdict in (("a", Verdict.REVIEW), ("b", Verdict.USABLE)):
        write_artefact_map(artefacts, run.slide(slide_id).artefacts)
        run.slide(slide_id).write_record(a_record(slide_id, small_tiff.resolve(), verdict))
    return run


@pytest.mark.parametrize(
    ("verdict", "action", "reason", "lesson"),
    [
        (Verdict.REVIEW, Action.ACCEPT, Reason.FALSE_ALARM, Lesson.MARKS_TAKEN_BACK),
        (Verdict.REJECT, Action.ACCEPT, Reason.NOTHING_WRONG, Lesson.MARKS_TAKEN_BACK),
        (Verdict.REJECT, Action.ACCEPT, Reason.GOOD_ENOUGH, Lesson.NONE),
        (Verdict.USABLE, Action.RE_SCAN, Reason.OUT_OF_FOCUS, Lesson.TO_BE_DRAWN),
        (Verdict.USABLE, Action.EXCLUDE, Reason.WRONG_SLIDE, Lesson.NONE),
    ],
)
def test_only_what_says_something_about_places_teaches(verdict, action, reason, lesson):
    records = [a_record("a", "/a.svs", verdict)]

    (one,) = disagreements(records, {"a": a_decision("a", action, reason)}, load_profile("default"))

    assert one.lesson is lesson


@pytest.mark.parametrize(
    ("verdict", "action"), [(Verdict.USABLE, Action.ACCEPT), (Verdict.REVIEW, Action.RE_SCAN), (Verdict.REJECT, None)]
)
def test_who_agrees_or_says_nothing_does_not_disagree(verdict, action):
    decisions = {"a": a_decision("a", action, Reason.FOLD)} if action else {}

    assert disagreements([a_record("a", "/a.svs", verdict)], decisions, load_profile("default")) == []


def test_marks_that_led_to_the_verdict_are_taken_back_and_nobody_is_held_to_the_others(artefacts):
    labels = with_marks_taken_back(artefacts, [FOLD])

    assert set(labels[artefacts.classes == FOLD]) == {CLEAN}
    assert set(labels[artefacts.classes == PEN]) == {IGNORE}
    assert np.array_equal(labels[artefacts.classes == CLEAN], artefacts.classes[artefacts.classes == CLEAN])


def test_training_reads_what_people_took_back(run, small_tiff, artefacts, tmp_path):
    decisions = {"a": a_decision("a", Action.ACCEPT, Reason.FALSE_ALARM)}

    written = write_feedback(run, Settled(decisions), tmp_path / "out", small_tiff.parent, licence="ours")

    sources = load_settings(TrainingSources, tmp_path / "out" / "sources.toml")
    (item,) = plan_sources(sources, small_tiff.parent).items
    assert item.annotation is not None
    assert np.array_equal(item.annotation.values, with_marks_taken_back(artefacts, [FOLD]))
    assert written.lessons[Lesson.MARKS_TAKEN_BACK] == 1


def test_what_was_missed_is_drawn_by_a_person_and_then_taught(run, small_tiff, artefacts, tmp_path):
    decisions = {"b": a_decision("b", Action.RE_CUT, Reason.MISSED_FAULT)}
    out = tmp_path / "out"

    write_feedback(run, Settled(decisions), out, small_tiff.parent)
    assert not (out / "sources.toml").exists()
    assert (out / "to-draw" / "b.geojson").is_file()
    drawn = artefacts.classes.copy()
    drawn[250:280, 100:200] = FOLD
    outlines = feature_collection(ArtefactMap(drawn, GRID), TissueMask(drawn != GLASS, GRID))
    write_geojson(outlines, tmp_path / "drawn" / "b.geojson", {"slide_id": "b"})
    write_feedback(run, Settled(decisions), out, small_tiff.parent, drawings=tmp_path / "drawn")

    assert np.array_equal(read_artefact_map(out / "masks" / "b.png").classes, drawn)
    table = pd.read_csv(out / "disagreements.csv")
    assert table[["slide_id", "verdict", "decision", "lesson"]].to_numpy().tolist() == [
        ["b", "usable", "re_cut", "corrected"]
    ]


def test_the_verdict_that_people_put_in_force_is_the_one_they_are_held_against(run, small_tiff, tmp_path):
    default = load_profile("default")
    limits = {name: getattr(default, name).model_copy(update={"fold": 0.0}) for name in ("review", "reject")}
    no_folds = default.model_copy(update={"version": 9, **limits})
    decisions = {"b": a_decision("b", Action.ACCEPT, Reason.FALSE_ALARM)}

    as_assessed = write_feedback(run, Settled(decisions), tmp_path / "before", small_tiff.parent)
    in_force = write_feedback(run, Settled(decisions, no_folds), tmp_path / "after", small_tiff.parent)

    assert sum(as_assessed.lessons.values()) == 0  # b was called usable
    assert in_force.lessons[Lesson.MARKS_TAKEN_BACK] == 1
    assert pd.read_csv(tmp_path / "after" / "disagreements.csv")["verdict"].tolist() == ["reject"]


def test_a_drawing_of_no_slide_is_one_sentence(run, small_tiff, tmp_path):
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "zzz.geojson").write_text("{}")

    with pytest.raises(ExchangeError, match=r"zzz\.geojson is about no slide of the run"):
        write_feedback(run, Settled({}), tmp_path / "out", small_tiff.parent, drawings=tmp_path / "drawn")
