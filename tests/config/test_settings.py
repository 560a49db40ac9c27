import pytest
from pydantic import BaseModel, ValidationError

from qc.config.assess import AssessSettings, settings_fingerprint
from qc.config.base import Settings
from qc.config.profile import Profile, load_profile, profile_names
from qc.config.toml import load_settings
from qc.errors import SettingsError


@pytest.fixture
def toml(tmp_path):
    def write(text):
        path = tmp_path / "settings.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_an_empty_file_means_the_defaults(toml):
    assert load_settings(AssessSettings, toml("")) == AssessSettings()


def test_a_value_from_a_file_is_in_force(toml):
    assert load_settings(AssessSettings, toml("[sanity]\nmpp_max = 7.5")).sanity.mpp_max == 7.5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[sanity]\nmpp_maximum = 7.5", "unknown key sanity.mpp_maximum"),
        ("[sane]\nmpp_max = 7.5", "unknown key sane"),
        ("[sanity]\nmpp_max = 'big'", r"sanity.mpp_max = 'big'"),
        ("[sanity]\nmpp_max = -1", r"sanity.mpp_max = -1"),
        ("[reading]\ntile_px = 511", "tile_px must be a multiple"),
        ("[reading]\ntissue_mpp = inf", "reading.tissue_mpp = inf"),
        ("[reading]\nread_mpp = nan", "reading.read_mpp = nan"),
        ("[sanity\n", "not valid TOML"),
        (b"\xff\xfe[sanity]", "not valid TOML"),
    ],
)
def test_a_wrong_file_gives_one_sentence_that_names_the_place(toml, text, says):
    with pytest.raises(SettingsError, match=says) as caught:
        load_settings(AssessSettings, toml(text))

    assert "\n" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_gives_one_sentence(tmp_path, name):
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(AssessSettings, tmp_path / name)


@pytest.mark.parametrize("name", profile_names())
def test_every_packaged_profile_loads_under_its_own_name(name):
    assert load_profile(name).name == name


def test_an_unknown_profile_is_answered_with_the_known_ones():
    with pytest.raises(SettingsError, match="metastasis") as caught:
        load_profile("lymfoma")

    assert "lymfoma" in caught.value.message


def test_a_profile_that_lacks_a_limit_is_refused(toml):
    with pytest.raises(SettingsError, match="missing key"):
        load_settings(Profile, toml("name = 'x'\nversion = 1\npurpose = 'y'"))


def _nested(settings, path=()):
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        yield from _nested(value, (*path, name)) if isinstance(value, BaseModel) else [(*path, name)]


def _changed(settings, path):
    name, *rest = path
    value = getattr(settings, name)
    new = _changed(value, rest) if rest else (not value if isinstance(value, bool) else _another(value))
    return settings.model_copy(update={name: new})


def _another(value):
    return f"{value}x" if isinstance(value, str) else value + 1 if isinstance(value, int | float) else (*value, 1)


@pytest.mark.parametrize("path", list(_nested(AssessSettings())), ids=".".join)
def test_no_setting_can_change_without_changing_the_fingerprint(path):
    profile = load_profile("default")

    assert settings_fingerprint(_changed(AssessSettings(), path), profile) != settings_fingerprint(
        AssessSettings(), profile
    )


def test_profile_and_given_mpp_are_part_of_the_fingerprint():
    settings, profile = AssessSettings(), load_profile("default")
    prints = [settings_fingerprint(settings, profile, mpp) for mpp in (None, 0.25, 0.5)]
    prints.append(settings_fingerprint(settings, load_profile("smear")))

    assert len(set(prints)) == 4
    assert settings_fingerprint(settings, profile, 0.25) == prints[1]


def test_settings_cannot_be_changed_after_they_are_made():
    with pytest.raises(ValidationError, match="frozen"):
        AssessSettings().reading.tile_px = 256


def test_every_setting_says_what_it_is():
    def undescribed(model: type[Settings]):
        for name, field in model.model_fields.items():
            kind = field.annotation
            if isinstance(kind, type) and issubclass(kind, Settings):
                yield from undescribed(kind)
            if not field.description:
                yield f"{model.__name__}.{name}"

    assert list(undescribed(AssessSettings)) == []
    assert list(undescribed(Profile)) == []
