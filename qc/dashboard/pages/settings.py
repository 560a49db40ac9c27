"""Settings: verdict profiles and control charts, each save a new version; who may do what."""

import difflib
from collections.abc import Callable

import pandas as pd
import streamlit as st

from qc.config.control import ControlSettings
from qc.config.profile import Profile, load_profile, profile_names
from qc.dashboard import saved, words
from qc.dashboard.context import Context
from qc.errors import QCError
from qc.labels import Verdict
from qc.record import judged_again
from qc.store.judged import AS_ASSESSED
from qc.store.people import Role, User
from qc.store.work import SettingVersion


def page(context: Context) -> None:
    """Draw the page."""
    st.title("Settings")
    if not context.may(Role.QC_MANAGER):
        st.info(f"You may look; changes need the role {Role.QC_MANAGER.label}.", icon=":material/lock:")
    profiles, control, people = st.tabs(["Verdict profiles", "Control charts", "People"])
    with profiles:
        _profiles(context)
    with control:
        _control(context)
    with people:
        _people(context)


def _profiles(context: Context) -> None:
    _in_force(context)
    name = st.selectbox("Profile", profile_names(), index=profile_names().index("default"))
    versions = context.store.setting_versions(saved.profile_setting(name))
    packaged = saved.as_toml(load_profile(name))
    known = versions[-1].content if versions else packaged
    text = _editor(context, saved.profile_setting(name), known, "Limits (TOML)")
    try:
        profile = saved.parsed(Profile, text)
    except QCError as error:
        st.error(str(error))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.download_button(
            "This profile (TOML)",
            text,
            file_name=f"{name}.toml",
            icon=":material/download:",
            on_click="ignore",
            help=f"`qc assess --profile {name}.toml` judges new slides by it.",
        )
        if st.button("Try on this run", icon=":material/science:"):
            st.session_state["settings_tried"] = text
    if st.session_state.get("settings_tried") == text:
        _tried(context, profile)
        _judge(context, profile, text, is_saved=text == known)
    _save(context, saved.profile_setting(name), text, known, lambda: _check_profile(profile, name, known))
    _history(versions, packaged)


def _in_force(context: Context) -> None:
    """By what the run that is shown is judged, and the way back."""
    profile = context.store.profile_in_force(context.run_id)
    if profile is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        said = f"This run is judged by {profile.title}, not as it was assessed."
        st.info(said, icon=":material/gavel:")
        if context.may(Role.QC_MANAGER) and st.button("Judge it as it was assessed"):
            context.store.judge_run(context.actor, context.run_id, AS_ASSESSED, "as it was assessed")
            st.rerun()


def _check_profile(profile: Profile, name: str, known: str) -> str:
    """What stands against saving; empty when nothing does."""
    if profile.name != name:
        return f"The profile's name has to stay {name}."
    before = saved.parsed(Profile, known).version
    if profile.version <= before:
        return f"Raise the version above {before}: results say which version judged them."
    return ""


def _tried(context: Context, profile: Profile) -> None:
    """What the verdicts of this run would be; nothing is changed."""
    records = context.store.records(context.run_id)
    before = [words.verdict(record.verdict) for record in records]
    after = [words.verdict(judged_again(record, profile).verdict) for record in records]
    order = [words.verdict(v) for v in Verdict]
    table = pd.crosstab(pd.Series(before, name="now"), pd.Series(after, name="with these limits"))
    table = table.reindex(index=[v for v in order if v in table.index], columns=[v for v in order if v in table])
    changed = sum(one != other for one, other in zip(before, after, strict=True))
    st.write(f"**{changed:,} of {len(records):,}** slides of this run would get another verdict; rows are today's.")
    st.table(table)


def _judge(context: Context, profile: Profile, text: str, is_saved: bool) -> None:
    """Let a profile judge the run that is shown, for everybody, or the one it was assessed with again."""
    if not context.may(Role.QC_MANAGER):
        return
    in_force = context.store.profile_in_force(context.run_id)
    if not is_saved:
        st.caption("Save these limits as a new version to judge this run by them.")
    elif profile != in_force and st.button("Judge this run by these limits", type="primary", icon=":material/gavel:"):
        context.store.judge_run(context.actor, context.run_id, text, profile.title)
        st.rerun()


def _control(context: Context) -> None:
    versions = context.store.setting_versions(saved.CONTROL)
    default = saved.as_toml(ControlSettings())
    known = versions[-1].content if versions else default
    text = _editor(context, saved.CONTROL, known, "Control charts (TOML)")
    with st.expander("What the settings mean"):
        for name, field in ControlSettings.model_fields.items():
            st.markdown(f"- `{name}`: {field.description}")
    try:
        saved.parsed(ControlSettings, text)
    except QCError as error:
        st.error(str(error))
        return
    _save(context, saved.CONTROL, text, known, lambda: "")
    _history(versions, default)


def _editor(context: Context, name: str, known: str, label: str) -> str:
    is_fixed = not context.may(Role.QC_MANAGER)
    key = f"settings_{name}_{len(known)}_{hash(known)}"
    return st.text_area(label, known, height=420, key=key, disabled=is_fixed) or ""


def _save(context: Context, name: str, text: str, known: str, objection: Callable[[], str]) -> None:
    if not context.may(Role.QC_MANAGER) or text == known:
        return
    st.code(_difference(known, text), language="diff")
    if problem := objection():
        st.warning(problem)
        return
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    note = left.text_input("Why", max_chars=300, key=f"settings_note_{name}")
    if right.button("Save as new version", type="primary", width="stretch", disabled=not note.strip()):
        context.store.save_setting(context.actor, name, text, note.strip())
        st.rerun()


def _history(versions: list[SettingVersion], packaged: str) -> None:
    with st.expander(f"Versions ({len(versions)} saved, beside the one that came with the software)"):
        for i in range(len(versions) - 1, -1, -1):
            version = versions[i]
            st.markdown(f"**Version {version.version}** · {version.at:%Y-%m-%d %H:%M} UTC · {version.subject}")
            st.caption(f"{version.note} · SHA-256 {version.fingerprint[:12]}")
            before = versions[i - 1].content if i else packaged
            st.code(_difference(before, version.content) or "nothing changed", language="diff")


def _difference(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=1)
    return "\n".join(lines)


def _people(context: Context) -> None:
    users = context.store.users()
    if users:
        table = pd.DataFrame(
            {
                "Name": [user.name for user in users],
                "Role": [user.role.label for user in users],
                "Active": ["yes" if user.is_active else "no, has left" for user in users],
                "Id": [user.subject for user in users],
            }
        )
        st.dataframe(table, hide_index=True, alt="People that the store knows")
    else:
        st.caption("The store knows nobody by name; roles come from the login.")
    if not context.may(Role.ADMIN):
        return
    with st.form("people", border=True):
        st.markdown("**Add or change a person**")
        left, middle, right = st.columns(3)
        subject = left.text_input("Id that the login gives (`sub`)")
        name = middle.text_input("Name")
        role = right.selectbox("Role", list(Role), format_func=lambda one: one.label)
        is_active = st.checkbox("Active; someone who left may change nothing", value=True)
        is_sent = st.form_submit_button("Save", type="primary")
    if is_sent:
        _put(context, subject.strip(), name.strip(), role, is_active)


def _put(context: Context, subject: str, name: str, role: Role, is_active: bool) -> None:
    if not subject or not name:
        st.error("Give an id and a name.")
        return
    context.store.put_user(context.actor, User(subject=subject, name=name, role=role, is_active=is_active))
    st.rerun()
