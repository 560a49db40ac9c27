import json

from click.testing import CliRunner

from qc.cli.audit import audit
from qc.cli.users import users
from qc.errors import RunError
from qc.store.database import Store, sqlite_url


def run(command, *arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_users_are_set_listed_and_noted_in_an_audit_that_can_be_shown_and_verified(tmp_path):
    Store(sqlite_url(tmp_path / "store.sqlite")).close()

    done = run(users, "set", tmp_path, "ann@lab", "--name", "Ann", "--role", "qc_manager")

    assert done.output == "Ann (ann@lab) is QC manager\n"
    assert json.loads(run(users, "list", tmp_path, "--json").output)[0]["role"] == "qc_manager"
    shown = json.loads(run(audit, "show", tmp_path, "--json").output)
    assert [(row["action"], row["detail"]["after"]["name"]) for row in shown] == [("user", "Ann")]
    assert "Ann" in run(audit, "show", tmp_path / "store.sqlite").output
    verified = run(audit, "verify", tmp_path)
    assert (verified.exit_code, verified.output) == (0, f"the audit is whole: 1 row, head {shown[0]['hash']}\n")


def test_a_head_that_is_not_in_the_audit_is_exit_code_1(tmp_path):
    Store(sqlite_url(tmp_path / "store.sqlite")).close()

    found = run(audit, "verify", tmp_path, "--head", "a" * 64, "--json")

    assert found.exit_code == 1
    assert "noted hash" in json.loads(found.output)["problems"][0]


def test_a_wrong_path_does_not_make_an_empty_store(tmp_path):
    found = run(audit, "verify", tmp_path / "none")

    assert isinstance(found.exception, RunError)
    assert list(tmp_path.iterdir()) == []
