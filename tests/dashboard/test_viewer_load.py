"""The viewer's load test runs against the real server and says what it measured."""

from qc.bench.viewer import Load, measure
from qc.bench.viewer_report import viewer_markdown
from qc.bench.viewer_server import served


def test_every_request_of_a_small_load_is_answered(marked_run):
    with served(marked_run.folder.root) as one:
        loads = measure(one, requests=12, people=2, seconds=1, pause_s=0.2)
        peak_mib = one.peak_mib()

    assert [load.refused for load in loads] == [0] * 5
    assert [len(load.milliseconds) for load in loads[:4]] == [12] * 4
    assert len(loads[4].milliseconds) >= 2 * 2
    assert 50 < peak_mib < 2048


def test_the_report_says_when_a_goal_is_missed():
    loads = [Load("health", [45.0] * 9, 0, 1.0), Load("tiles", [20.0] * 9, 1, 1.0)]

    text = viewer_markdown(loads, 200, 300, 3, 0.5, "qc bench viewer")

    assert "45.0 ms, missed" in text
    assert "| tiles | 9 | 9 | 20.0 | 20.0 | 20.0 | 1 |" in text
