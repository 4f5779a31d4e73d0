"""A SAM 2 whose random weights give masks that move, and the package's own predictor beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np
import pytest
import torch

if find_spec("sam2") is None:  # asked without importing it, which starts Hydra
    pytest.skip(
        "sam2, an optional extra, is not installed: ci/setup installs it", allow_module_level=True
    )

from medseg.models.sam2 import Prompt, Sam2, load_sam2
from medseg.models.sam2.pixels import normalise, squares_of_video

SIDE = 128  # of the network's square
HEIGHT, WIDTH = 60, 80
FRAMES = 10


@pytest.fixture(scope="session")
def sam2() -> Sam2:
    """SAM 2.1 tiny at 128 pixels; its memories weigh, and it sees an object everywhere."""
    loaded = load_sam2("tiny", image_size=SIDE, random_weights=True)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for key, weight in loaded.network.named_parameters():
            if "gamma" in key:
                weight.copy_(0.3 * torch.randn(weight.shape, generator=generator))
            elif weight.dim() == 1 and "bias" in key:
                weight.add_(0.05 * torch.randn(weight.shape, generator=generator))
            elif weight.dim() > 1 and any(part in key for part in ("mask_dec", "memory", "neck")):
                weight.mul_(1.6)
        loaded.network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(3.0)
    return loaded


@pytest.fixture(scope="session")
def frames() -> np.ndarray:
    """Frames (T,H,W,3): a bright disc that moves to the right over noise, and a red one below."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    noise = np.random.default_rng(0).integers(0, 90, (HEIGHT, WIDTH, 3))
    pictures = []
    for i in range(FRAMES):
        bright = (x - 20 - 3 * i) ** 2 + (y - 30) ** 2 < 225
        red = (x - 60) ** 2 + (y - 15 - 2 * i) ** 2 < 100
        pictures.append(noise + 120 * bright[..., None] + red[..., None] * [90, 0, 0])
    return np.clip(np.stack(pictures), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def disc() -> np.ndarray:
    """The bright disc in frame 0."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return (x - 20) ** 2 + (y - 30) ** 2 < 225


@pytest.fixture(scope="session")
def package(sam2) -> Callable:
    """The package's own video predictor with the same weights."""
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra
    from sam2.build_sam import build_sam2_video_predictor

    GlobalHydra.instance().clear()  # importing sam2 starts it with a search path of its own
    with initialize_config_module("sam2", version_base="1.2"):
        predictor = build_sam2_video_predictor(
            "configs/sam2.1/sam2.1_hiera_t.yaml",
            device="cpu",
            hydra_overrides_extra=[f"++model.image_size={SIDE}"],
        )
    predictor.load_state_dict(sam2.network.state_dict())
    predictor.fill_hole_area = 0  # warns that it needs a compiled part, and is skipped
    return predictor


@pytest.fixture
def package_track(package, monkeypatch) -> Iterator[Callable]:
    """Run the package over frames; gives {frame: logits (object,H,W)} at the frames' size."""
    import sam2.sam2_video_predictor as module

    monkeypatch.setattr(module, "tqdm", lambda frames, **_: frames)

    def begin(frames: np.ndarray, prompts: list[Prompt]) -> dict:
        squares = normalise(squares_of_video(frames, SIDE), torch.device("cpu"))
        monkeypatch.setattr(module, "load_video_frames", lambda **_: (squares, *frames.shape[1:3]))
        state = package.init_state("frames in memory")
        for prompt in prompts:
            point(state, prompt)
        return state

    def point(state: dict, prompt: Prompt) -> None:
        if prompt.mask is not None:
            package.add_new_mask(state, prompt.frame, prompt.object, prompt.mask)
            return
        package.add_new_points_or_box(
            state,
            prompt.frame,
            prompt.object,
            points=np.array(prompt.points, np.float32) if prompt.points else None,
            labels=np.array(prompt.labels, np.int32) if prompt.points else None,
            box=prompt.box,
        )

    def run(state: dict, **options) -> dict[int, np.ndarray]:
        tracked = package.propagate_in_video(state, **options)
        return {frame: logits[:, 0].numpy() for frame, _, logits in tracked}

    def track(frames: np.ndarray, prompts: list[Prompt], **options) -> dict[int, np.ndarray]:
        return run(begin(frames, prompts), **options)

    track.begin, track.point, track.run = begin, point, run
    yield track


@pytest.fixture
def float_memory(package, monkeypatch) -> None:
    """Mend the package's fault: bfloat16 memories beside float32 weights."""
    attend = package.memory_attention.forward

    def forward(*given, memory, **named):
        return attend(*given, memory=memory.float(), **named)

    monkeypatch.setattr(package.memory_attention, "forward", forward)
