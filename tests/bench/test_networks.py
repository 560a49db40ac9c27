"""Networks are timed on the tiles that the pipeline would read, against decoding exactly those."""

from pathlib import Path

import numpy as np
import pytest
import torch

from qc.bench.networks import NetworkTiming, NetworkTimings, time_networks
from qc.bench.report import benchmark_markdown
from qc.bench.tiles import sample_tiles
from qc.config.assess import AssessSettings
from qc.nets.peers import PEERS, build_peer
from qc.nets.session import open_graph
from qc.nets.weights import export
from qc.slide.files import SlideFile


def test_a_network_is_timed_on_tiles_with_their_halo(pyramid_tiff: Path, network_folder: Path) -> None:
    slides = sample_tiles([SlideFile(pyramid_tiff)], AssessSettings(), 3)
    threads_before = torch.get_num_threads()

    timings = time_networks(network_folder, slides, repeats=2, threads=2, peers=())

    assert timings.tiles == 3
    assert {rgb.shape for rgb in slides[0].rgb} == {(576, 576, 3)}
    assert [(t.engine, t.input_px) for t in timings.timings] == [("ONNX Runtime", 576), ("torch", 576)]
    assert min(s for t in timings.timings for s in t.tile_s) > 0
    assert len(timings.decode_s) == len(timings.timings[0].tile_s) == 2
    assert timings.rounded is None
    assert torch.get_num_threads() == threads_before
    assert "| drawn | torch | 0." in benchmark_markdown([], timings, "qc bench x")


def test_the_ratios_of_networks_are_medians_of_pairs() -> None:
    ours = NetworkTiming("a", "ONNX Runtime", 1, 576, (2.0, 4.0, 6.0))
    other = NetworkTiming("b", "torch", 1, 512, (4.0, 4.0, 30.0))
    timings = NetworkTimings("a", 1, 1, (1.0, 1.0, 2.0), (ours, other), None)

    assert timings.ratio(ours) == pytest.approx(3)
    assert timings.slower(other) == pytest.approx(2)


def test_a_peer_says_the_same_with_and_without_torch(tmp_path: Path) -> None:
    peer = build_peer(PEERS[0])
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)

    export(peer, tmp_path / "peer.onnx")

    with torch.inference_mode():
        expected = peer(torch.from_numpy(rgb)[None])[0].numpy()
    assert expected.shape == (8, 64, 96)
    np.testing.assert_allclose(open_graph(tmp_path / "peer.onnx")(rgb), expected, atol=1e-4)
