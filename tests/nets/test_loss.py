import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from qc.nets.loss import IGNORE, exact_loss, weak_loss

ALL = torch.tensor([[True, True, True]])
NONE = torch.tensor([[False, False, False]])
PRESENT = torch.tensor([[False, True, False]])


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def spotted(share: float, side: int = 20) -> Tensor:
    """(1, 3, side, side) logits for class 0, but for class 1 in the first `share` of the cells."""
    logits = torch.zeros(1, 3, side * side)
    logits[:, 0] = 8.0
    count = round(share * side * side)
    logits[:, 0, :count], logits[:, 1, :count] = 0.0, 8.0
    return logits.reshape(1, 3, side, side)


def test_exact_labels_cost_the_cross_entropy_of_their_cells() -> None:
    logits = torch.tensor([[[[0.0, math.log(3)]], [[0.0, 0.0]]]])  # P of class 0: 1/2 and 3/4

    loss = exact_loss(logits, torch.tensor([[[0, 1]]]))

    assert float(loss) == pytest.approx((math.log(2) + math.log(4)) / 2)


def test_weighted_cells_cost_their_weighted_mean() -> None:
    logits = torch.tensor([[[[0.0, math.log(3), 5.0]], [[0.0, 0.0, -5.0]]]])
    classes = torch.tensor([[[0, 1, IGNORE]]])

    loss = exact_loss(logits, classes, torch.tensor([1.0, 3.0]))

    assert float(loss) == pytest.approx((math.log(2) + 3 * math.log(4)) / 4)


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(0, 24))
def test_cells_without_a_label_change_nothing(seed: int, ignored: int) -> None:
    logits = drawn(seed, 1, 3, 5, 5)
    classes = torch.arange(25).reshape(1, 5, 5) % 3
    classes.view(-1)[:ignored] = IGNORE
    labelled = (classes != IGNORE)[0]
    elsewhere = torch.where(labelled, logits, drawn(seed + 1, 1, 3, 5, 5))

    loss = exact_loss(logits, classes)

    assert float(loss) == pytest.approx(float(exact_loss(elsewhere, classes)))
    alone = torch.nn.functional.cross_entropy(logits[0][:, labelled].T, classes[0][labelled])
    assert float(loss) == pytest.approx(float(alone), rel=1e-5)


def test_nothing_labelled_costs_nothing_and_moves_nothing() -> None:
    logits = drawn(0, 2, 3, 4, 4).requires_grad_()

    loss = exact_loss(logits, torch.full((2, 4, 4), IGNORE)) + weak_loss(logits[:0], ALL[:0], NONE[:0])
    loss.backward()

    assert float(loss.detach()) == 0
    assert logits.grad is not None
    assert float(logits.grad.abs().sum()) == 0


def test_a_class_that_is_present_must_show_in_a_twentieth_of_the_cells() -> None:
    absent, few, twentieth, many = (float(weak_loss(spotted(s), ALL, PRESENT)) for s in (0, 0.02, 0.05, 0.5))

    assert absent > few > twentieth
    assert twentieth < 0.01
    assert many == pytest.approx(twentieth, abs=1e-3)


def test_a_class_that_is_not_allowed_costs_wherever_it_shows() -> None:
    allowed = torch.tensor([[True, False, True]])

    losses = [float(weak_loss(spotted(share), allowed, NONE)) for share in (0.0, 0.1, 0.5)]

    assert losses[0] < 0.01
    assert losses == sorted(losses)
    assert losses[2] == pytest.approx(5 * losses[1], rel=0.01)


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_what_is_allowed_and_not_demanded_is_free(seed: int) -> None:
    assert float(weak_loss(drawn(seed, 1, 3, 4, 4), ALL, NONE)) == pytest.approx(0, abs=1e-5)


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_weak_losses_are_means_over_tiles_and_never_negative(seed: int) -> None:
    logits = drawn(seed, 2, 3, 4, 4)
    allowed, present = torch.cat([ALL, PRESENT | ~ALL]), torch.cat([PRESENT, NONE])

    together = float(weak_loss(logits, allowed, present))

    each = [float(weak_loss(logits[i : i + 1], allowed[i : i + 1], present[i : i + 1])) for i in range(2)]
    assert together == pytest.approx(sum(each) / 2, rel=1e-5)
    assert min(each) >= -1e-6


def test_a_step_down_the_weak_loss_makes_the_present_class_show() -> None:
    logits = drawn(4, 1, 3, 8, 8).requires_grad_()

    for _ in range(30):
        (gradient,) = torch.autograd.grad(weak_loss(logits, torch.tensor([[True, True, False]]), PRESENT), logits)
        logits = (logits - 20 * gradient).detach().requires_grad_()

    shown = logits.detach().softmax(dim=1)
    assert float(shown[:, 1].flatten().topk(3).values.min()) > 0.9
    assert float(shown[:, 2].max()) < 0.1
