"""Runs judged anew: a profile in, other verdicts of stored results out. Shares and scores stay as they were measured.

The profile in force of a run is a versioned setting, so that everybody sees the same verdicts and the audit tells since
when; the record of each slide keeps the verdict that it was assessed with.
"""

import tomllib

from pydantic import ValidationError
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from qc.config.profile import Profile
from qc.errors import SettingsError
from qc.record import Assessed, Failed, from_json, judged_again, unnamed
from qc.store.change import Change
from qc.store.schema import SettingRow, Slide
from qc.store.work import save_setting

AS_ASSESSED = ""
"""Content of the setting when the verdicts of the assessment hold again."""


def setting_name(run_id: str) -> str:
    """Name under which the store keeps the profile by which a run is judged."""
    return f"judged/{run_id}"


def profile_in_force(session: Session, run_id: str) -> Profile | None:
    """The profile by which a run is judged anew; None while the verdicts of its assessment hold."""
    query = select(SettingRow.content).where(SettingRow.name == setting_name(run_id))
    content = session.scalar(query.order_by(SettingRow.version.desc()).limit(1))
    return parsed_profile(content) if content else None


def parsed_profile(content: str) -> Profile:
    """TOML as a profile.

    Raises:
        SettingsError: If it is none.
    """
    try:
        return Profile.model_validate(tomllib.loads(content))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise SettingsError("this is no profile", "correct it under Settings") from error


def seen(record: Assessed | Failed, profile: Profile | None) -> Assessed | Failed:
    """A record as it is judged now."""
    return record if profile is None else judged_again(record, profile)


def judge_run(change: Change, run_id: str, content: str, note: str) -> int:
    """Judge all results of a run by a profile, or as they were assessed; the number of verdicts that changed.

    Raises:
        SettingsError: If `content` is neither a profile in TOML nor empty.
    """
    profile = parsed_profile(content) if content else None
    save_setting(change, setting_name(run_id), content, note)
    query = select(Slide.id, Slide.verdict, Slide.record_json).where(Slide.run_id == run_id)
    rows = change.session.execute(query).all()
    now = [(row, seen(from_json(row.record_json), profile)) for row in rows]
    if now:
        statement = update(Slide.__table__).where(Slide.__table__.c.id == bindparam("row"))  # type: ignore[arg-type]
        values = statement.values(verdict=bindparam("new_verdict"), reason=bindparam("new_reason"))
        told = [
            {"row": row.id, "new_verdict": str(one.verdict), "new_reason": unnamed(one.reason, one)} for row, one in now
        ]
        change.session.execute(values, told)
    return sum(row.verdict != str(one.verdict) for row, one in now)
