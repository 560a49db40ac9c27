"""Real processes that write to one store at the same time."""

import subprocess
import sys

WRITER = """
import sys
from qc.errors import RefusedError
from qc.store.database import Store
from qc.store.decision import Action, Choice, Reason, SlideKey
from qc.store.people import Actor, Role

url, name, decisions = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = Store(url)
actor = Actor(subject=name, name=name, role=Role.TECHNICIAN)
print("ready", flush=True)
sys.stdin.readline()
for number in range(decisions):
    key = SlideKey(run_id="run", slide_id="abc"[number % 3], slide_fingerprint="f" * 64)
    made = store.decide(actor, key, Choice(action=Action.ACCEPT, reason=Reason.PEN, note=f"{name} {number}"))
    if number % 4 == 3:
        try:
            store.undo(actor, made.id)
            print("undone")
        except RefusedError:
            print("overtaken")
store.close()
"""
WRITERS, DECISIONS = 3, 8


def test_processes_that_decide_at_once_lose_nothing_and_never_fork_the_chain(filled):
    url = filled.engine.url.render_as_string(hide_password=False)
    commands = [[sys.executable, "-c", WRITER, url, f"writer-{i}", str(DECISIONS)] for i in range(WRITERS)]
    writers = [
        subprocess.Popen(c, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for c in commands
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"

    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    said = [writer.communicate(timeout=300) for writer in writers]

    assert [errors for _, errors in said] == [""] * WRITERS
    undone = sum(output.count("undone") for output, _ in said)
    entries = filled.audit()
    decided = {entry.detail.split('"note":"')[1].split('"')[0] for entry in entries if entry.action == "decide"}
    assert decided == {f"writer-{i} {number}" for i in range(WRITERS) for number in range(DECISIONS)}
    assert sum(entry.action == "undo" for entry in entries) == undone
    assert len(entries) == WRITERS * DECISIONS + undone
    assert filled.verify().is_whole
