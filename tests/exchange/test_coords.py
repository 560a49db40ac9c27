import json
from dataclasses import replace
from typing import Any

import h5py
import numpy as np
import openslide
import pandas as pd
import pytest

from qc.errors import ExchangeError
from qc.exchange.coords import read_coords, write_coords, write_process_list
from qc.exchange.slide_tiles import SlideTiles, slide_names, slide_tiles
from qc.exchange.tile_outlines import tile_collection
from qc.manifest import Manifest, ManifestNote, slide_frame, tile_frame

NOTE = ManifestNote(
    software_version="0",
    settings_fingerprint="f",
    runs=("r",),
    profile="p",
    filter_settings={},
    filter_fingerprint="e",
)
NONE_OF = dict.fromkeys(("foreign", "pen", "bubble", "out_of_focus", "unassessed"), 0.0)


def tile(slide_id, path, x, y, kept, mpp=0.25, tile_mpp=0.5):
    side = round(256 * tile_mpp / mpp)
    return {
        **{"slide_id": slide_id, "path": path, "patient": "", "label": "", "split": "", "settings_fingerprint": "f"},
        **{"x_level0": x, "y_level0": y, "width_level0": side, "height_level0": side, "tile_px": 256},
        **{"tile_mpp": tile_mpp, "slide_mpp": mpp, "tissue": 1.0, "clean": 0.75, "fold": 0.25, **NONE_OF},
        **{"is_kept": kept, "reason": "" if kept else "fold 0.25 > 0.10"},
    }


def manifest(mpp=0.25, second_kept=True):
    """Slide a of two folders: three tiles, two of them kept, and two tiles of which none or both are kept."""
    paths = {"a-1": "/x/a.svs", "a-2": "/y/a.svs", "c-3": "/x/c.svs"}
    places = [("a-1", 512, 1024, True), ("a-1", 1024, 1024, False), ("a-1", 1536, 1536, True)]
    places += [("a-2", 0, 0, second_kept), ("a-2", 512, 0, second_kept)]
    accounts = [("a-1", 3, 2), ("a-2", 2, 2 * second_kept), ("c-3", 0, 0)]
    size = {"width_level0": 40_001, "height_level0": 30_000, "slide_mpp": mpp, "status": "kept"}
    return Manifest(
        tile_frame(tile(one, paths[one], x, y, kept, mpp) for one, x, y, kept in places),
        slide_frame(
            {"slide_id": one, "path": paths[one], "candidates": all_, "kept": kept, **size}
            for one, all_, kept in accounts
        ),
        NOTE,
    )


def stored(path) -> tuple[Any, dict[str, Any]]:
    with h5py.File(path) as file:
        data: Any = file["coords"]
        return data[:].tolist(), dict(data.attrs)


def as_clam_reads(path):
    """The region of each patch that CLAM's `Whole_Slide_Bag_FP` reads, level-0 (x, y, side), for a pyramid of 1, 4."""
    places, attrs = stored(path)
    side = attrs["patch_size"] * (1, 4)[attrs["patch_level"]]
    return [(x, y, side) for x, y in places]


def as_trident_reads(path):
    """The same for TRIDENT's `extract_patch_features` and `WSIPatcher`, and the pixels that they make of a patch."""
    places, attrs = stored(path)
    names = ("patch_size", "level0_magnification", "target_magnification")
    assert set(names) <= set(attrs), "TRIDENT would take it for a file of CLAM"
    patch_size, src_mag, dst_mag = (attrs[name] for name in names)
    src_pixel_size, dst_pixel_size = 10 / src_mag, 10 / dst_mag
    side = round(patch_size * (dst_pixel_size / src_pixel_size))
    assert round(places[0][0]) == places[0][0], "TRIDENT wants whole numbers"
    return [(x, y, side) for x, y in places], patch_size


class ClamBag:
    """What CLAM's `Whole_Slide_Bag_FP` does with file and slide, down to the types that it hands to OpenSlide."""

    def __init__(self, path, wsi):
        self.wsi = wsi
        self.file = h5py.File(path, "r")
        coords: Any = self.file["coords"]
        self.patch_level, self.patch_size = coords.attrs["patch_level"], coords.attrs["patch_size"]
        self.shown = {name: str(value) for name, value in coords.attrs.items()}  # its `summary` prints all
        self.coords = coords

    def __len__(self):
        return len(self.coords)

    def __getitem__(self, index):
        coord = self.coords[index]
        return self.wsi.read_region(coord, self.patch_level, (self.patch_size, self.patch_size)).convert("RGB"), coord


def test_clam_and_trident_read_the_kept_tiles_and_no_others(tmp_path):
    first, *_ = slide_tiles(manifest())

    clam, trident = write_coords(first, tmp_path)

    kept = [(512, 1024, 512), (1536, 1536, 512)]
    assert as_clam_reads(clam) == kept
    assert as_trident_reads(trident) == (kept, 256)


@pytest.mark.parametrize("mpp", [0.2528, 0.2217, 0.499, 0.5])
def test_a_tile_is_as_large_for_the_readers_whatever_the_mpp(tmp_path, mpp):
    first, *_ = slide_tiles(manifest(mpp))

    clam, trident = write_coords(first, tmp_path)

    side = round(256 * 0.5 / mpp)
    assert {one[2] for one in as_clam_reads(clam)} == {side}
    assert {one[2] for one in as_trident_reads(trident)[0]} == {side}


def test_files_have_the_names_attributes_and_types_that_the_readers_expect(tmp_path):
    clam, trident = write_coords(slide_tiles(manifest())[0], tmp_path)

    coordinates, of_clam = read_coords(clam)
    _, of_trident = read_coords(trident)
    assert coordinates.dtype == np.int64
    assert [file.relative_to(tmp_path).as_posix() for file in (clam, trident)] == [
        "patches/a-1.h5",
        "patches/a-1_patches.h5",
    ]
    assert set(of_clam) == {
        *("patch_size", "patch_level", "downsample", "downsampled_level_dim", "level_dim", "name", "save_path")
    }
    assert set(of_trident) == {
        *("patch_size", "patch_size_level0", "level0_magnification", "target_magnification", "overlap"),
        *("name", "savetodir", "level0_width", "level0_height"),
    }
    assert of_clam["level_dim"].tolist() == [40_001, 30_000]
    assert (of_trident["level0_width"], of_trident["level0_height"]) == (40_001, 30_000)
    assert (of_trident["level0_magnification"], of_trident["target_magnification"]) == (40, 20)
    assert of_trident["overlap"] == 0


def test_clam_finds_file_and_slide_by_its_table_and_gets_the_pixels_of_each_tile(tmp_path, small_tiff):
    tiles = SlideTiles("b-1", small_tiff.stem, ".tiff", np.array([[64, 128], [512, 256]]), (1000, 900), 128, 1.0, 0.5)
    write_coords(tiles, tmp_path / "job")
    table = pd.read_csv(write_process_list([tiles], tmp_path / "job"))

    slide_id = str(table["slide_id"][0]).split(".tiff")[0]  # as `extract_features_fp.py` does, told `--slide_ext .tiff`
    wsi = openslide.open_slide(small_tiff.parent / f"{slide_id}.tiff")
    bag = ClamBag(tmp_path / "job" / "patches" / f"{slide_id}.h5", wsi)

    assert len(bag) == 2
    assert bag.shown["name"] == "small"
    for index, (x, y) in enumerate(tiles.coordinates.tolist()):
        rgb, coord = bag[index]
        assert coord.tolist() == [x, y]
        assert rgb.tobytes() == wsi.read_region((x, y), 0, (256, 256)).convert("RGB").tobytes()
    bag.file.close()
    wsi.close()


def test_trident_gives_slide_encoders_the_side_of_a_patch_and_keeps_all_attributes(tmp_path):
    _, trident = write_coords(slide_tiles(manifest())[0], tmp_path)

    _, attrs = stored(trident)

    assert attrs["patch_size_level0"] == 512
    json.dumps({name: getattr(value, "item", lambda value=value: value)() for name, value in attrs.items()})
    with h5py.File(tmp_path / "features.h5", "w") as file:  # it copies them beside the features
        file.create_dataset("coords", data=[[0, 0]]).attrs.update(attrs)


def test_overlapping_tiles_are_said_to_overlap():
    first, *_ = slide_tiles(manifest())

    dense = replace(first, coordinates=np.array([[0, 0], [384, 0], [768, 0]]))

    assert dense.overlap_px == 64


def test_slides_of_one_name_keep_apart_and_others_are_called_as_their_files_are(tmp_path):
    written = [write_coords(one, tmp_path) for one in slide_tiles(manifest())]

    assert [len(files) for files in written] == [2, 2, 0]
    assert len({file for files in written for file in files}) == 4
    assert slide_names({"c-3": "/x/c.svs", "d-4": "/x/d.ome.tif"}) == {"c-3": "c", "d-4": "d"}
    table = pd.read_csv(write_process_list(slide_tiles(manifest()), tmp_path))
    assert table["slide_id"].tolist() == ["a-1.svs", "a-2.svs"]


def test_a_slide_that_keeps_nothing_any_more_loses_its_files(tmp_path):
    before = [write_coords(one, tmp_path) for one in slide_tiles(manifest())][1]

    after = [write_coords(one, tmp_path) for one in slide_tiles(manifest(second_kept=False))][1]

    assert after == ()
    assert not any(path.exists() for path in before)


def test_a_file_without_coordinates_is_one_sentence(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("features", data=[1])
    (tmp_path / "b.h5").write_text("no")

    for name in ("a.h5", "b.h5", "c.h5"):
        with pytest.raises(ExchangeError, match="holds no coordinates"):
            read_coords(tmp_path / name)


def test_tiles_are_squares_for_qupath_with_the_reason_why_they_went():
    tiles = manifest().tiles

    features = tile_collection(tiles.loc[tiles["slide_id"] == "a-1"])["features"]

    removed = features[1]
    assert [f["properties"]["classification"]["name"] for f in features] == ["Kept", "Removed", "Kept"]
    assert removed["properties"]["name"] == "fold 0.25 > 0.10"
    assert removed["properties"]["measurements"]["fold"] == 0.25
    assert removed["geometry"]["coordinates"][0][2] == [1536, 1536]
    assert len({f["id"] for f in features}) == 3
