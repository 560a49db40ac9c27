import base64
import io
import json

import anyio
import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from qc.dashboard.tiles import TOKEN_HEADER, TOKEN_SECONDS, Source, TileServer, routes
from qc.dashboard.tiles.held import Held
from qc.dashboard.tiles.pictures import TILE_PX
from qc.figures.class_floors import ClassFloors
from qc.figures.marked_regions import marked_regions
from qc.geometry import Grid, Mpp, Size, Window
from qc.labels import ArtefactClass
from qc.maps import ArtefactMap
from qc.slide.files import fingerprint
from qc.slide.macro import LABEL_SHARE, without_label
from qc.slide.reader import OpenSlideSlide

FOLD, FOREIGN = int(ArtefactClass.FOLD), int(ArtefactClass.FOREIGN)


class Clock:
    seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(clock):
    server = TileServer(now=clock)
    yield server
    server.close()


@pytest.fixture
def client(server):
    return TestClient(Starlette(routes=routes(server)))


@pytest.fixture
def admit(server, marked_run, technician):
    """Lets a person look at a slide: (name, actor) -> (slide id, headers)."""

    def admit(name="marked", actor=technician):
        record = marked_run.records[name]
        source = Source(record, marked_run.folder.slide(record.stamp.slide_id))
        return record.stamp.slide_id, {TOKEN_HEADER: server.admit(marked_run.run_id, source, actor)}

    return admit


def pixels(answer, mode="RGB"):
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert(mode))


def whole(client, headers, kind, slide_id, level, size, query=""):
    """All tiles of a level, put together."""
    width, height = size
    suffix, mode = ("jpg", "RGB") if kind == "tiles" else ("png", "RGBA")
    out = np.zeros((height, width, len(mode)), np.uint8)
    for row in range(-(-height // TILE_PX)):
        for column in range(-(-width // TILE_PX)):
            url = f"/qc/{kind}/{slide_id}/{level}/{column}_{row}.{suffix}{query}"
            tile = pixels(client.get(url, headers=headers), mode)
            y, x = row * TILE_PX, column * TILE_PX
            out[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    return out


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_overlay_covers_a_known_fold_to_the_pixel_at_every_level(client, admit, level):
    slide_id, headers = admit()
    size = (2400 >> level, 1800 >> level)

    slide = whole(client, headers, "tiles", slide_id, level, size)
    overlay = whole(client, headers, "overlay", slide_id, level, size, f"?classes={FOLD}")

    is_black, is_marked = slide.max(axis=2) < 60, overlay[..., 3] == 255
    x, y, width, height = (value >> level for value in (600, 400, 400, 320))
    expected = np.zeros_like(is_marked)
    expected[y : y + height, x : x + width] = True
    assert (is_marked == expected).all()
    assert (is_black != expected).sum() <= 2 * (width + height)  # JPEG blurs the edge by less than a pixel
    assert {tuple(colour) for colour in overlay[is_marked][:, :3]} == {ArtefactClass.FOLD.colour}


def test_a_line_two_pixels_thin_is_still_seen_in_the_whole_slide(client, admit):
    slide_id, headers = admit()

    overlay = whole(client, headers, "overlay", slide_id, 2, (600, 450), f"?classes={FOREIGN}")

    assert (overlay[350, 110:490, 3] == 255).all()


def test_outlines_are_two_pixels_wide_and_lie_inside(client, admit):
    slide_id, headers = admit()

    overlay = whole(client, headers, "overlay", slide_id, 0, (2400, 1800), f"?classes={FOLD}&style=line")

    row = overlay[560, :, 3] > 0
    assert np.flatnonzero(row).tolist() == [600, 601, 998, 999]


def test_classes_that_are_switched_off_are_not_drawn(client, admit):
    slide_id, headers = admit()

    overlay = whole(client, headers, "overlay", slide_id, 2, (600, 450), "")

    assert overlay[..., 3].max() == 0


def test_a_slide_tells_its_levels_classes_and_places(client, admit):
    slide_id, headers = admit()

    about = client.get(f"/qc/slide/{slide_id}.json", headers=headers).json()

    assert [(level["width"], level["height"]) for level in about["levels"]] == [(2400, 1800), (1200, 900), (600, 450)]
    assert about["mpp"] == 1.0
    first = about["regions"][0]
    assert (first["class"], first["x"], first["y"], first["width"], first["height"]) == (FOLD, 592, 400, 416, 320)
    assert first["area_mm2"] == pytest.approx(0.128)
    assert "path" not in json.dumps(about)


def test_the_heat_map_of_a_classifier_is_shown_where_it_lies(client, admit, marked_run):
    slide_id, headers = admit()
    path = marked_run.folder.slide(slide_id).heat("metastasis")
    Image.new("RGBA", (24, 18), (230, 0, 0, 90)).save(path)

    about = client.get(f"/qc/slide/{slide_id}.json", headers=headers).json()
    answer = client.get(f"/qc/heat/{slide_id}/metastasis.png", headers=headers)
    other = client.get(f"/qc/heat/{slide_id}/..%2Frecord.png", headers=headers)
    data = path.read_bytes()
    path.unlink()

    assert about["heats"] == [{"name": "metastasis", "width": 24, "height": 18}]
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/png", data)
    assert other.status_code == 404
    assert client.get(f"/qc/slide/{slide_id}.json", headers=headers).json()["heats"] == []


URLS = [
    "/qc/tiles/{}/0/0_0.jpg",
    "/qc/overlay/{}/0/0_0.png?classes=2",
    "/qc/slide/{}.json",
    "/qc/macro/{}.jpg",
    "/qc/heat/{}/metastasis.png",
]


@pytest.mark.parametrize("url", URLS)
def test_nothing_is_told_without_the_right_token(client, admit, clock, url):
    slide_id, headers = admit("marked")
    _, other = admit("plain")
    forged = dict(headers)
    payload, signature = headers[TOKEN_HEADER].split(".")
    text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).replace(b'"until":1600', b'"until":9999')
    forged[TOKEN_HEADER] = base64.urlsafe_b64encode(text).decode().rstrip("=") + "." + signature

    answers = [client.get(url.format(slide_id), headers=h) for h in ({}, other, forged, {TOKEN_HEADER: "x"})]
    clock.seconds += TOKEN_SECONDS + 1
    late = client.get(url.format(slide_id), headers=headers)

    assert [answer.status_code for answer in answers] == [401] * 4
    assert late.status_code == 401


def test_a_logout_ends_tokens_and_a_new_login_gives_new_ones(client, server, admit, clock, technician):
    slide_id, before = admit("marked")
    clock.seconds += 1

    server.end(technician.subject)
    clock.seconds += 1
    _, after = admit("marked")

    url = f"/qc/slide/{slide_id}.json"
    assert [client.get(url, headers=headers).status_code for headers in (before, after)] == [401, 200]


def test_a_token_of_another_server_is_none(client, admit, marked_run, technician):
    slide_id, _ = admit()
    record = marked_run.records["marked"]

    foreign = TileServer().admit(marked_run.run_id, Source(record, None), technician)

    assert client.get(f"/qc/slide/{slide_id}.json", headers={TOKEN_HEADER: foreign}).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/qc/tiles/%2e%2e%2f%2e%2e%2fetc%2fpasswd/0/0_0.jpg",
        "/qc/tiles/{id}%2f..%2f..%2fstore.sqlite",
        "/qc/tiles/{id}/0/../../0_0.jpg",
        "/qc/tiles//etc/passwd/0/0_0.jpg",
        "/qc/tiles/{id}/-1/0_0.jpg",
        "/qc/tiles/{id}/0/-1_0.jpg",
        "/qc/tiles/{id}/9/0_0.jpg",
        "/qc/tiles/{id}/0/99_0.jpg",
        "/qc/tiles/{id}/0/0_99999999999999999999.jpg",
        "/qc/overlay/{id}/0/0_0.png?classes=../2",
        "/qc/overlay/{id}/0/0_0.png?classes=1",
        "/qc/overlay/{id}/0/0_0.png?style=../x",
        "/qc/slide/{id}%00.json",
        "/qc/macro/{id}.jpg",
    ],
)
def test_tricks_with_paths_are_refused(client, admit, path):
    slide_id, headers = admit()

    answer = client.get(path.replace("{id}", slide_id), headers=headers)

    assert 400 <= answer.status_code < 500
    assert b"reason" in answer.content


@pytest.mark.parametrize("path", ["/qc/tiles/../../../etc/passwd", "/qc/viewer/../../../pyproject.toml"])
def test_tricks_that_clients_straighten_are_refused_when_sent_raw(server, path):
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "headers": [],
        "query_string": b"",
    }
    anyio.run(Starlette(routes=routes(server)), scope, receive, send)

    assert sent[0]["status"] == 404
    assert b"reason" in sent[1]["body"]


def test_nothing_stays_on_the_disk_of_a_shared_computer(client, admit):
    slide_id, headers = admit()

    answers = [client.get(url.format(slide_id), headers=headers) for url in URLS]

    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


def test_a_file_that_was_changed_is_not_shown_under_the_old_result(client, server, marked_run, technician, tmp_path):
    record = marked_run.records["plain"]
    path = tmp_path / "plain.tiff"
    path.write_bytes(b"another file")
    changed = record.model_copy(update={"stamp": record.stamp.model_copy(update={"path": str(path)})})
    token = server.admit(marked_run.run_id, Source(changed, None), technician)

    answer = client.get(f"/qc/slide/{record.stamp.slide_id}.json", headers={TOKEN_HEADER: token})

    assert answer.status_code == 410
    assert "another one" in answer.json()["reason"]
    assert str(tmp_path) not in answer.text


class Thing:
    def __init__(self, weight_bytes=1):
        self.weight_bytes, self.is_closed = weight_bytes, False

    def close(self):
        assert not self.is_closed
        self.is_closed = True


def test_what_nobody_looks_at_for_longest_is_closed_first_and_what_is_in_use_never():
    held, things = Held(most=2, most_bytes=100), {name: Thing() for name in "abc"}

    with held.borrow("a", lambda: things["a"]):
        for name in "bc":
            with held.borrow(name, lambda name=name: things[name]):
                pass
        inside = {name: thing.is_closed for name, thing in things.items()}
    held.close()

    assert inside == {"a": False, "b": True, "c": False}
    assert all(thing.is_closed for thing in things.values())


def test_heavy_things_are_held_one_at_a_time():
    held, heavy, light = Held(most=9, most_bytes=100), Thing(90), Thing(20)

    for key, thing in (("heavy", heavy), ("light", light)):
        with held.borrow(key, lambda thing=thing: thing):
            pass

    assert (heavy.is_closed, light.is_closed, len(held)) == (True, False, 1)


def test_what_cannot_be_opened_is_not_held():
    held = Held(most=2, most_bytes=100)

    def fail():
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"), held.borrow("a", fail):
        pass

    assert len(held) == 0


def test_places_to_look_at_keep_their_area_and_come_largest_first():
    classes = np.full((300, 400), ArtefactClass.CLEAN, np.uint8)
    classes[10:20, 10:20] = ArtefactClass.PEN
    classes[100:140, 200:300] = ArtefactClass.FOLD
    classes[142:150, 200:300] = ArtefactClass.FOLD  # 4 micrometres apart: the same fold
    grid = Grid(Size(800, 600), Mpp(1.0), Mpp(2.0))

    found = marked_regions(ArtefactMap(classes, grid), area_min_mm2=0.0)

    assert [one.artefact for one in found] == [ArtefactClass.FOLD, ArtefactClass.PEN]
    assert found[0].area_mm2 == pytest.approx(4800 * 4e-6)
    assert found[0].region.x <= 400 <= 600 <= found[0].region.x + found[0].region.width


def test_edges_of_odd_maps_are_shown():
    classes = np.full((301, 403), ArtefactClass.CLEAN, np.uint8)
    classes[-1, -1] = ArtefactClass.FOREIGN
    floors = ClassFloors.of(ArtefactMap(classes, Grid(Size(806, 602), Mpp(1.0), Mpp(2.0))))

    shown = floors.under(Window(0, 0, 200, 150), Size(200, 150))

    assert shown[-1, -1] == ArtefactClass.FOREIGN


@pytest.mark.parametrize(("vendor", "ends"), [("aperio", (True, False)), ("mirax", (True, True))])
def test_label_ends_of_the_photographed_glass_are_covered(vendor, ends):
    macro = np.random.default_rng(1).integers(0, 255, (100, 300, 3), np.uint8)

    shown = without_label(macro, vendor)

    covered = round(LABEL_SHARE * 300)
    assert (len(np.unique(shown[:, :covered])) == 1, len(np.unique(shown[:, -covered:])) == 1) == ends
    assert (shown[:, 100:200] == macro[:, 100:200]).all()


@pytest.mark.data
def test_the_glass_of_a_real_slide_is_shown_without_label_and_not_to_viewers(
    client, server, marked_run, qc_data, technician, viewer_only
):
    path = qc_data / "slides" / "cmu-1-small-region.svs"
    record = marked_run.records["plain"]
    stamp = record.stamp.model_copy(update={"path": str(path), "slide_fingerprint": fingerprint(path)})
    source = Source(record.model_copy(update={"stamp": stamp}), None)
    url = f"/qc/macro/{stamp.slide_id}.jpg"
    tokens = [server.admit(marked_run.run_id, source, actor) for actor in (technician, viewer_only)]

    seen, refused = (client.get(url, headers={TOKEN_HEADER: token}) for token in tokens)

    photo = pixels(seen)
    assert photo[:, : photo.shape[1] // 4].std() < 2
    assert photo[:, photo.shape[1] // 2 :].std() > 10
    assert refused.status_code == 404
    assert not hasattr(OpenSlideSlide, "label")
