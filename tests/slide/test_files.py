import os

import numpy as np
import pytest
from PIL import Image, ImageFile

from qc.errors import MissingMppError, NoUsableLevelError, QCError, TruncatedSlideError, UnopenableSlideError
from qc.geometry import Mpp, Size
from qc.slide.files import SlideFile, find_slides, fingerprint, open_slide

_NOISE = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def names(files):
    return [file.path.name for file in files]


def test_folders_are_searched_for_known_suffixes_in_a_stable_order(tmp_path):
    for name in ("b/2.SVS", "a/1.ndpi", "a/notes.txt", "a/.hidden.svs", "c.tif"):
        touch(tmp_path / name)

    assert names(find_slides([tmp_path])) == ["1.ndpi", "2.SVS", "c.tif"]


def test_a_slide_named_twice_is_found_once(tmp_path):
    path = touch(tmp_path / "a.svs")

    assert names(find_slides([path, tmp_path, tmp_path / "." / "a.svs"])) == ["a.svs"]


def test_a_file_is_taken_at_its_word_whatever_its_suffix(tmp_path):
    assert names(find_slides([touch(tmp_path / "a.weird")])) == ["a.weird"]


@pytest.mark.parametrize("name", ["missing.svs", "missing"])
def test_a_path_that_does_not_exist_is_an_error_not_an_empty_run(tmp_path, name):
    with pytest.raises(QCError, match="does not exist"):
        find_slides([tmp_path / name])


def test_a_folder_without_slides_is_an_error_not_an_empty_run(tmp_path):
    with pytest.raises(QCError, match="no slide files found"):
        find_slides([tmp_path])


def test_the_pictures_of_an_earlier_run_are_no_slides(tmp_path):
    touch(tmp_path / "a.svs")
    touch(tmp_path / "run" / "run.json")
    touch(tmp_path / "run" / "slides" / "a-12345678" / "overview.jpg")

    assert names(find_slides([tmp_path])) == ["a.svs"]


def test_one_name_in_two_folders_gives_two_ids(tmp_path):
    files = find_slides([touch(tmp_path / "a" / "1.svs"), touch(tmp_path / "b" / "1.svs")])

    assert len({file.slide_id for file in files}) == 2


@pytest.mark.parametrize("name", ["-rf.svs", "..svs.svs", "a b/../ä.svs", "=1+1.svs", "x" * 200 + ".svs"])
def test_an_id_is_a_harmless_folder_name_of_bounded_length(tmp_path, name):
    slide_id = SlideFile(tmp_path / name).slide_id

    assert slide_id[0] not in "-."
    assert len(slide_id) <= 96
    assert not set(slide_id) & set(" /\\=[]'\"")


def test_a_file_name_that_is_no_utf8_still_has_an_id(tmp_path):
    path = tmp_path / os.fsdecode(b"h\xe9patite.svs")

    assert SlideFile(path).slide_id != SlideFile(tmp_path / os.fsdecode(b"h\xe8patite.svs")).slide_id


def test_the_table_wins_over_the_given_mpp_by_path_name_or_stem(tmp_path):
    paths = [touch(tmp_path / f"{stem}.svs") for stem in "abcd"]
    table = {str(paths[0]): Mpp(0.1), "b.svs": Mpp(0.2), "c": Mpp(0.3)}

    assert [file.mpp for file in find_slides(paths, Mpp(0.9), table)] == [0.1, 0.2, 0.3, 0.9]


@pytest.mark.data
def test_of_a_dicom_series_in_two_files_one_slide_is_kept(qc_data):
    found = find_slides([qc_data / "slides" / "tiny"], Mpp(0.25))

    assert [name for name in names(found) if name.endswith(".dcm")] == ["boxes_0.dcm"]


@pytest.mark.parametrize("length", [0, 1, 1 << 20, (16 << 20) + 1, 40 << 20])
def test_a_fingerprint_changes_with_length_first_and_last_byte(tmp_path, length):
    path = tmp_path / "a"
    prints = set()
    for changed in (None, 0, length - 1):
        with path.open("wb") as file:
            file.truncate(length)
            if changed is not None and length:
                file.seek(changed)
                file.write(b"\x01")
        prints.add(fingerprint(path))
    with path.open("ab") as file:
        file.write(b"\x00")
    prints.add(fingerprint(path))

    assert len(prints) == (2 if length == 0 else 3 if length == 1 else 4)


def test_a_small_change_in_the_middle_of_a_small_file_is_seen(tmp_path):
    one, other = tmp_path / "1", tmp_path / "2"
    one.write_bytes(bytes(10**6))
    other.write_bytes(bytes(500_000) + b"\x01" + bytes(499_999))

    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_plain_image_is_a_slide_once_its_mpp_is_given(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(_NOISE).save(path, dpi=(300, 300))

    with pytest.raises(MissingMppError, match="--mpp"):
        open_slide(SlideFile(path))
    slide = open_slide(SlideFile(path, Mpp(2.0)))

    assert (slide.size, slide.mpp) == (Size(400, 300), 2.0)
    if suffix != ".jpg":
        assert np.array_equal(slide.read(0, 10, 20, Size(50, 40))[..., :3], _NOISE[20:60, 10:60])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_cut_image_is_truncated_or_unopenable(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(_NOISE).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as the import of WeasyPrint leaves it

    with pytest.raises((TruncatedSlideError, UnopenableSlideError)) as caught:
        open_slide(SlideFile(path, Mpp(1.0)))

    assert caught.value.hint


def test_an_image_of_sixteen_bits_is_refused_rather_than_clipped(tmp_path):
    Image.fromarray(_NOISE[..., 0].astype(np.uint16) * 257).save(tmp_path / "a.png")

    with pytest.raises(UnopenableSlideError, match="8 bits"):
        open_slide(SlideFile(tmp_path / "a.png", Mpp(1.0)))


def test_a_huge_flat_image_is_refused_before_it_is_decoded(tmp_path):
    Image.new("1", (12_000, 9_000)).save(tmp_path / "a.png")

    with pytest.raises(NoUsableLevelError, match="pyramid"):
        open_slide(SlideFile(tmp_path / "a.png", Mpp(1.0)))


def test_transparent_parts_of_an_image_were_not_scanned(tmp_path):
    rgba = np.dstack([_NOISE, np.full((300, 400), 255, np.uint8)])
    rgba[:100, :, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "a.png")

    slide = open_slide(SlideFile(tmp_path / "a.png", Mpp(1.0)))

    assert (slide.read(0, 0, 0, slide.size)[..., 3] > 0).sum() == 200 * 400


@pytest.mark.parametrize("name", ["a.svs", "a.png", "a.dcm", "a.tif"])
def test_a_file_that_is_no_image_at_all_is_unopenable(tmp_path, name):
    with pytest.raises(UnopenableSlideError):
        open_slide(SlideFile(touch(tmp_path / name), Mpp(1.0)))


def test_a_line_of_the_mpp_table_that_names_no_slide_is_refused(small_tiff):
    with pytest.raises(QCError, match=r"names smal\.tiff, which is none of the slides"):
        find_slides([small_tiff], mpp_table={"smal.tiff": Mpp(0.5)})


def test_a_changed_companion_changes_the_fingerprint_of_a_slide_of_several_files(tmp_path):
    index, folder = tmp_path / "a.mrxs", tmp_path / "a"
    folder.mkdir()
    index.write_bytes(b"index")
    (folder / "Data0001.dat").write_bytes(b"pixels")
    before = fingerprint(index)

    (folder / "Data0001.dat").write_bytes(b"other pixels")

    assert fingerprint(index) != before
