import base64
import math
import re
from dataclasses import replace
from datetime import date, timedelta
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from qc.cli.main import cli
from qc.errors import RunError, SettingsError
from qc.geometry import Grid, Mpp, Size
from qc.labels import ArtefactClass, Verdict
from qc.maps import ArtefactMap
from qc.metrics import wilson_interval
from qc.nets.card import read_card
from qc.nets.packaged import network_folder
from qc.report.charts import pareto, spread, trend
from qc.report.close_ups import close_ups
from qc.report.cohort import cohort_page
from qc.report.facts import read_facts
from qc.report.known import known_performance
from qc.report.places import worst_places
from qc.report.render import html
from qc.report.slide import slide_page
from qc.report.table import slide_table
from qc.report.write import Scope, write_cohort_report, write_slide_report
from qc.slide.files import fingerprint
from qc.store.people import Actor, Role

FIRST_DAY = date(2026, 11, 2)
NAME = "Mueller"


@pytest.fixture(scope="module")
def facts(run):
    return read_facts(run)


def record_of(facts, slide_id):
    return next(record for record in facts.records if record.stamp.slide_id == slide_id)


def report_of(facts, slide_id, tmp_path, **options):
    path = tmp_path / f"{slide_id}.html"
    write_slide_report(facts, record_of(facts, slide_id), path, **options)
    return path.read_text("utf-8")


def cohort_of(facts, tmp_path, scope=Scope(), suffix=".html"):  # noqa: B008  frozen
    path = tmp_path / f"report{suffix}"
    write_cohort_report(facts, scope, path)
    return path


def test_a_slide_report_tells_verdict_limits_and_decision(facts, tmp_path):
    text = report_of(facts, "airy", tmp_path)

    assert "bubble 13 % of tissue, limit 5 %" in text
    assert "re-coverslip and re-scan" in text
    assert "sound tissue was marked" in text
    assert "Ann, technician, 2026-11-06 09:30 UTC" in text
    assert facts.note.settings_fingerprint not in text  # the slide's own stamp is what counts
    assert "s" * 64 in text
    assert "f" * 64 in text


def test_a_failed_slide_has_a_report_with_the_way_out(facts, tmp_path):
    text = report_of(facts, "broken", tmp_path)

    assert "copy it again" in text
    assert "unassessed" in text


@pytest.mark.parametrize("slide_id", ["airy", "broken"])
def test_names_in_paths_and_file_names_stay_out_unless_asked_for(facts, tmp_path, slide_id):
    assert NAME not in report_of(facts, slide_id, tmp_path)
    assert NAME in report_of(facts, slide_id, tmp_path, with_paths=True)


def test_what_people_write_is_text_and_never_markup(facts, tmp_path):
    text = report_of(facts, "airy", tmp_path)

    assert "no &lt;air&gt; &amp; all good" in text
    assert "<air>" not in text


def test_reports_ask_nothing_of_any_network(facts, tmp_path):
    texts = [report_of(facts, "airy", tmp_path), cohort_of(facts, tmp_path).read_text("utf-8")]

    for text in texts:
        assert re.findall(r"""(?:src|href)=["'](?!data:)""", text) == []
        assert re.findall(r"url\(", text) == []
        assert "<script" not in text


@pytest.fixture
def _pdf():
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed (uv sync --extra pdf)")


@pytest.mark.usefixtures("_pdf")
def test_the_same_run_gives_the_same_bytes(run, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        facts = read_facts(run)
        report_of(facts, "airy", tmp_path / folder)
        cohort_of(facts, tmp_path / folder)
        write_slide_report(facts, record_of(facts, "airy"), tmp_path / folder / "airy.pdf")

    for name in ("airy.html", "airy.pdf", "report.html", "report-slides.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_the_report_of_many_slides_holds_its_table_and_no_names(facts, tmp_path):
    text = cohort_of(facts, tmp_path).read_text("utf-8")

    assert NAME not in text
    assert NAME not in (tmp_path / "report-slides.csv").read_text("utf-8")
    held = re.search(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', text)
    assert held is not None
    assert base64.b64decode(held[1]) == (tmp_path / "report-slides.csv").read_bytes()


def test_rates_count_failed_slides_and_put_decisions_before_verdicts(facts):
    page = cohort_page(facts, "t", "s")

    rates = {rate.name: (rate.part, rate.whole) for rate in page.rates}
    assert rates["Usable"] == (2, 4)  # one called usable, one in review that was accepted
    assert rates["Called usable"] == (1, 4)
    assert rates["Failed"] == (1, 4)
    assert rates["Re-scan rate"] == (0, 4)
    assert rates["Agreement"] == (0, 0)
    assert (page.rates[0].low, page.rates[0].high) == wilson_interval(2, 4)
    assert math.isnan(page.rates[-1].share)


def test_the_matrix_has_each_slide_once(facts):
    page = cohort_page(facts, "t", "s")

    matrix = {verdict: dict(zip(page.matrix_columns, counts, strict=True)) for verdict, counts in page.matrix}
    assert matrix[Verdict.REVIEW]["accept"] == 1
    assert matrix[Verdict.REJECT]["not decided"] == 1
    assert sum(sum(counts.values()) for counts in matrix.values()) == 4


def test_losses_are_counted_against_the_profile_commonest_first(facts):
    losses = {loss.label: loss for loss in cohort_page(facts, "t", "s").losses}

    assert next(iter(losses)) == "fold"
    assert (losses["fold"].slides, losses["bubble"].slides, losses["pen"].slides) == (1, 1, 0)
    assert losses["bubble"].area_mm2 == pytest.approx(240**2 * 4e-6)


def test_a_period_has_both_its_days(facts):
    chosen = facts.within(FIRST_DAY, FIRST_DAY + timedelta(days=1), None)

    assert sorted(record.stamp.slide_id for record in chosen.records) == ["airy", "fine"]
    assert set(chosen.decisions) == {"airy"}


def test_an_empty_period_is_one_sentence(facts):
    with pytest.raises(RunError, match="no slides of that batch or period"):
        facts.within(date(2030, 1, 1), None, None)


def test_the_lab_says_when_slides_were_scanned_and_what_belongs_together(run, tmp_path):
    about = tmp_path / "about.csv"
    about.write_text("slide,scanned,batch,scanner\nfine,2026-10-01 10:00,B7,one\nairy,2026-10-02,B7,two\n")
    facts = read_facts(run, about_path=about)

    assert [record.stamp.slide_id for record in facts.within(None, None, "B7").records] == ["airy", "fine"]
    assert [record.stamp.slide_id for record in facts.within(None, date(2026, 10, 1), None).records] == ["fine"]
    groups = cohort_page(facts, "t", "s").groups
    assert [(group.kind, group.name, group.rates[0].whole) for group in groups] == [
        ("scanner", "one", 1),
        ("scanner", "two", 1),
    ]


def test_scanner_and_day_come_from_the_header_where_the_lab_is_silent(run, tmp_path, make_map, make_record):
    record = make_record("fine", make_map(), scanner="Aperio AT2 SS1302", scanned_at="2026-09-30 08:15")
    (tmp_path / "about.csv").write_text("slide,scanner\nairy,two\n")
    before = run.slide("fine").record()
    run.slide("fine").write_record(record)

    facts = read_facts(run, about_path=tmp_path / "about.csv")
    run.slide("fine").write_record(before)

    assert facts.about_slide("fine").scanner == "Aperio AT2 SS1302"
    assert facts.about_slide("airy").scanner == "two"
    assert facts.day("fine") == date(2026, 9, 30)
    assert ("Scanned", "2026-09-30 08:15") in slide_page(facts, record).identity


def test_a_report_tells_the_verdicts_in_force_when_a_run_is_judged_anew(run):
    boss = Actor(subject="boss", name="Boss", role=Role.ADMIN)
    packaged = (resources.files("qc") / "profiles" / "default.toml").read_text(encoding="utf-8")
    lenient = re.sub(r"(?m)^fold = .*$", "fold = 1.0", packaged).replace("version = 2", "version = 3")
    store = run.open_store()
    run_id = run.read_note().run_id
    store.judge_run(boss, run_id, re.sub(r"(?m)^all_artefacts = .*$", "all_artefacts = 1.0", lenient))

    facts = read_facts(run)
    store.judge_run(boss, run_id, "")
    store.close()

    assert record_of(facts, "folded").verdict is Verdict.USABLE
    assert any("default, version 3" in value for _, value in slide_page(facts, record_of(facts, "folded")).provenance)
    assert record_of(read_facts(run), "folded").verdict is Verdict.REJECT


def test_a_time_that_is_none_is_one_sentence(run, tmp_path):
    (tmp_path / "about.csv").write_text("slide,scanned\nfine,yesterday\n")

    with pytest.raises(SettingsError, match="'yesterday' as time of scanning of fine"):
        read_facts(run, about_path=tmp_path / "about.csv")


def test_the_worst_places_are_the_largest_areas_and_their_pictures_show_them(facts, make_map):
    artefacts = make_map((ArtefactClass.BUBBLE, 300, 200, 240), (ArtefactClass.FOLD, 700, 300, 60))
    record = record_of(facts, "airy")

    places = worst_places(artefacts)
    spots = list(close_ups(record, facts.run.slide("airy"), artefacts, places))

    assert [(spot.number, spot.cls) for spot in spots] == [(1, ArtefactClass.BUBBLE), (2, ArtefactClass.FOLD)]
    assert places[0].area_mm2 == pytest.approx(240**2 * 4e-6)
    assert (places[0].x_level0, places[0].y_level0) == pytest.approx((420 * 4, 320 * 4), abs=10 * 4)
    assert not spots[0].is_from_file  # the slide file is not there


def test_close_ups_are_read_from_the_slide_while_it_is_the_same_file(facts, small_tiff):
    base = record_of(facts, "airy")
    stamp = base.stamp.model_copy(update={"path": str(small_tiff), "slide_fingerprint": fingerprint(small_tiff)})
    record = base.model_copy(update={"stamp": stamp, "width_px": 1000, "height_px": 900, "mpp": 1.0})
    other = record.model_copy(update={"stamp": stamp.model_copy(update={"slide_fingerprint": "0" * 64})})
    grid = Grid(Size(1000, 900), Mpp(1.0), Mpp(2.0))
    artefacts = ArtefactMap(np.full(grid.shape, ArtefactClass.CLEAN, np.uint8), grid)
    artefacts.classes[150:190, 150:190] = ArtefactClass.FOLD
    places, folder = worst_places(artefacts), facts.run.slide("airy")

    same = list(close_ups(record, folder, artefacts, places))
    changed = list(close_ups(other, folder, artefacts, places))

    assert [spot.is_from_file for spot in (*same, *changed)] == [True, False]


def test_a_score_that_could_not_be_judged_asks_for_a_look(facts, make_map, make_record):
    record = make_record("fine", make_map(), focus_score=math.nan, domain_distance=math.nan)

    gauges = {gauge.name: gauge for gauge in slide_page(facts, record).gauges}

    assert gauges["Focus"].at is None
    assert gauges["Focus"].state is Verdict.REVIEW
    assert gauges["Colours"].state is Verdict.REVIEW
    assert gauges["Stain"].state is Verdict.USABLE


def test_figures_of_another_network_are_not_claimed(run, facts):
    card = read_card(network_folder("artefact-1"))
    known = known_performance(card)

    assert facts.card is None
    assert known.name == card.name
    assert {label for label, _ in known.rows} >= {"fold", "pen"}


def test_charts_of_days_and_of_few_slides_can_be_drawn(facts):
    table = slide_table(facts)
    profile = facts.note.profile
    alone = table.assign(day=None)

    pictures = {trend(table, profile), trend(alone, profile), spread(table), pareto(cohort_page(facts, "", "").losses)}

    assert len(pictures) == 4
    for picture in pictures:
        svg = base64.b64decode(picture.split(",", 1)[1]).decode()
        assert svg.count("<svg") == 1
        assert "dc:date" not in svg


def test_thousands_of_slides_are_summed_up_and_all_are_in_the_table(facts, make_map, make_record, tmp_path):
    base = make_record("x", make_map((ArtefactClass.FOLD, 150, 150, 400)), Verdict.REJECT, "fold")
    rng = np.random.default_rng(3)
    records = tuple(
        base.model_copy(
            update={
                "stamp": base.stamp.model_copy(update={"slide_id": f"s{i:04d}"}),
                "verdict": Verdict.REJECT if i % 3 else Verdict.USABLE,
                "focus_score": float(rng.uniform(0, 10)),
            }
        )
        for i in range(1000)
    )
    recorded = {f"s{i:04d}": facts.as_of + timedelta(hours=i) for i in range(1000)}
    many = replace(facts, records=records, decisions={}, recorded=recorded)

    path = cohort_of(many, tmp_path)

    text = path.read_text("utf-8")
    assert len(set(re.findall(r"<td class=\"long\"[^>]*>(s\d{4})</td>", text))) == 100
    assert len(pd.read_csv(tmp_path / "report-slides.csv")) == 1000
    assert len(text) < 4e6


@pytest.mark.usefixtures("_pdf")
def test_the_command_writes_what_it_says(run, tmp_path):
    outcome = CliRunner().invoke(cli, ["report", str(run.root)], catch_exceptions=False)
    printed = CliRunner().invoke(
        cli, ["report", str(run.root), "--from", "2026-11-03", "--out", str(tmp_path / "x.pdf")], catch_exceptions=False
    )

    assert outcome.output.split() == [str(run.root / "reports" / name) for name in ("cohort.html", "cohort-slides.csv")]
    assert (run.root / "reports" / "cohort.html").is_file()
    assert printed.output.split() == [str(tmp_path / name) for name in ("x.pdf", "x-slides.csv")]
    content = (tmp_path / "x.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"EmbeddedFile" in content  # the table


def test_letter_paper_is_set(facts):
    text = html("slide.html", slide_page(facts, record_of(facts, "fine")), "letter")

    assert "@page { size: letter;" in text
