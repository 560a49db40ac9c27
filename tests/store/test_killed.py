"""Processes that are killed while they write: nothing that was said to be noted is lost, and no chain is broken."""

import json
import subprocess
import sys

from qc.store.decision import Action, Choice, Reason

# Each child is killed before another statement of the transaction, the commit included, until one comes through.
DIES_EVERYWHERE = """
import json, os, signal, sys
from sqlalchemy import event
from qc.store.database import Store
from qc.store.decision import Action, Choice, Reason, SlideKey
from qc.store.people import Actor, Role

def decide_and_die(url, at):
    store, seen = Store(url), [0]
    def count(*_rest):
        seen[0] += 1
        if seen[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)
    event.listen(store.engine, "before_cursor_execute", count)
    event.listen(store.engine, "commit", count)
    actor = Actor(subject="killed", name="Killed", role=Role.TECHNICIAN)
    key = SlideKey(run_id="run", slide_id="a", slide_fingerprint="f" * 64)
    store.decide(actor, key, Choice(action=Action.ACCEPT, reason=Reason.PEN))

def look(url):
    store = Store(url)
    found = store.verify()
    print(json.dumps([found.problems, found.head.seq, len(store.decisions("run"))]), flush=True)
    store.close()

for at in range(1, 100):
    sys.stdout.flush()
    child = os.fork()
    if not child:
        decide_and_die(sys.argv[1], at)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
    looker = os.fork()
    if not looker:
        look(sys.argv[1])
        os._exit(0)
    os.waitpid(looker, 0)
print(at)
"""

WRITER = """
import sys
from qc.store.database import Store
from qc.store.decision import Action, Choice, Reason, SlideKey
from qc.store.people import Actor, Role

store = Store(sys.argv[1])
actor = Actor(subject="writer", name="Writer", role=Role.TECHNICIAN)
for number in range(10**6):
    key = SlideKey(run_id="run", slide_id="abc"[number % 3], slide_fingerprint="f" * 64)
    print(store.decide(actor, key, Choice(action=Action.ACCEPT, reason=Reason.PEN, note=str(number))).id, flush=True)
"""


def _url(store):
    return store.engine.url.render_as_string(hide_password=False)


def test_a_process_that_dies_before_any_statement_of_a_decision_leaves_all_or_nothing(filled, key, ann):
    filled.decide(ann, key("b"), Choice(action=Action.ACCEPT, reason=Reason.PEN))

    done = subprocess.run(
        [sys.executable, "-c", DIES_EVERYWHERE, _url(filled)], capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stderr
    *looks, last = done.stdout.splitlines()
    assert int(last) > 6  # one place to die for each statement, and for the commit
    assert [json.loads(look) for look in looks] == [[[], 1, 1]] * (int(last) - 1)
    assert filled.verify().is_whole
    assert filled.decisions("run")["a"].by.name == "Killed"


def test_decisions_that_were_noted_when_the_process_was_killed_are_all_there(filled, key, ann):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, _url(filled)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    said = [int(writer.stdout.readline()) for _ in range(25)]
    writer.kill()
    said += [int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    writer.wait()
    writer.stdout.close()

    entries = filled.audit()
    after = filled.decide(ann, key("a"), Choice(action=Action.ACCEPT, reason=Reason.PEN))

    assert [entry.seq for entry in entries][: len(said)] == said
    assert len(entries) - len(said) in (0, 1)  # the one in hand may have been noted and not yet told
    assert after.id == len(entries) + 1
    assert filled.verify().is_whole
