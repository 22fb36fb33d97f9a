"""The loop of both trainings: steps until the time is over, checkpoints, and going on from them.

Knows nothing of what is trained: whoever calls gives the losses of a step.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from training.model import save

DECAY, WARM_STEPS = 0.01, 40
REPORT_STEPS, SAVE_SECONDS = 20, 240
LEAST_RATE = 0.01  # share of the full one, at the end


@dataclass(frozen=True, slots=True)
class Loss:
    """Of one step: what is lowered, its parts by name for the report, and how many tokens it took."""

    total: Tensor
    parts: Mapping[str, Tensor]
    tokens: int


class Loop:
    """Trains `model`: `rates` are groups of its parameters, each with its full rate.

    `out` is the checkpoint, beside it lies the optimiser's state: where that exists the training goes on from it, and
    `step` says how many steps are done.
    """

    def __init__(self, model: nn.Module, rates: Sequence[tuple[list[nn.Parameter], float]], out: Path) -> None:
        self._model, self._out, self._state = model, out, out.with_suffix(".state.pt")
        self._full = [rate for _, rate in rates]
        self._parameters = [parameter for group, _ in rates for parameter in group]
        groups = [{"params": group, "lr": rate} for group, rate in rates]
        self._optimiser = torch.optim.AdamW(groups, weight_decay=DECAY, fused=True)
        self.step, self._spent = 0, 0.0
        if self._state.exists():
            state = torch.load(self._state, weights_only=True)
            model.load_state_dict(state["model"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.step, self._spent = state["step"], state["seconds"]

    def run(self, losses: Iterator[Loss], minutes: float, steps: int | None = None) -> None:
        """Trains for `minutes` of all starts together, or `steps` if they are done sooner; the rate falls to the end.

        `losses` are those of the steps from `step` on.
        """
        begun = saved = time.monotonic()
        before, tokens, seen = self._spent, 0, dict[str, float]()
        while steps is None or self.step < steps:
            self._spent = before + time.monotonic() - begun
            done = max(self._spent / 60 / minutes, self.step / steps if steps else 0.0)
            if done >= 1:
                break
            loss = next(losses)
            self._take(loss.total, min(1.0, (self.step + 1) / WARM_STEPS) * max(LEAST_RATE, 1 - done))
            tokens += loss.tokens
            for name, value in loss.parts.items():
                seen[name] = seen.get(name, 0.0) + value.item() / REPORT_STEPS
            if self.step % REPORT_STEPS == 0:
                parts = " ".join(f"{name} {value:.3f}" for name, value in seen.items())
                print(
                    f"{self.step}/{steps or '?'} {tokens / (time.monotonic() - begun):.0f} tokens/s {parts}", flush=True
                )
                seen = {}
            if time.monotonic() - saved > SAVE_SECONDS:
                saved = time.monotonic()
                self._save()
        self._save()

    def _take(self, loss: Tensor, share: float) -> None:
        for group, full in zip(self._optimiser.param_groups, self._full, strict=True):
            group["lr"] = full * share
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self.step += 1

    def _save(self) -> None:
        save(self._model, self._out)
        state = {"model": self._model.state_dict(), "optimiser": self._optimiser.state_dict(), "step": self.step,
                 "seconds": self._spent}  # fmt: skip
        part = self._state.with_suffix(".part")
        torch.save(state, part)
        part.replace(self._state)
