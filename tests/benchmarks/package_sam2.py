"""The sam2 package's own video predictor with the weights of a Sam2 of ours."""

from __future__ import annotations

import numpy as np
import sam2.sam2_video_predictor as module
import torch
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from sam2.build_sam import build_sam2_video_predictor

from medseg.models.sam2 import Prompt, Sam2
from medseg.models.sam2.pixels import normalise, squares_of_video


def build(ours: Sam2) -> torch.nn.Module:
    """Its predictor, without what only warns, and with its dtype fault mended."""
    module.tqdm = lambda frames, **_: frames
    GlobalHydra.instance().clear()
    with initialize_config_module("sam2", version_base="1.2"):
        predictor = build_sam2_video_predictor(
            "configs/sam2.1/sam2.1_hiera_t.yaml",
            device="cpu",
            hydra_overrides_extra=[f"++model.image_size={ours.image_size}"],
        )
    predictor.load_state_dict(ours.network.state_dict())
    predictor.fill_hole_area = 0  # needs a compiled part; it warns and leaves it out
    attend = predictor.memory_attention.forward

    def forward(*given, memory, **named):
        return attend(*given, memory=memory.float(), **named)

    predictor.memory_attention.forward = forward
    return predictor


def point(predictor: torch.nn.Module, state: dict, prompt: Prompt) -> None:
    """Give it a prompt."""
    if prompt.mask is not None:
        predictor.add_new_mask(state, prompt.frame, prompt.object, prompt.mask)
        return
    predictor.add_new_points_or_box(
        state,
        prompt.frame,
        prompt.object,
        points=np.array(prompt.points, np.float32) if prompt.points else None,
        labels=np.array(prompt.labels, np.int32) if prompt.points else None,
        box=prompt.box,
    )


def track_frames(
    predictor: torch.nn.Module, frames: np.ndarray, prompts: list[Prompt], *, reverse: bool = False
) -> dict[int, np.ndarray]:
    """Logits (object,H,W) by frame, of frames that are shrunk as ours are."""
    squares = normalise(squares_of_video(frames, predictor.image_size), torch.device("cpu"))
    load = module.load_video_frames
    module.load_video_frames = lambda **_: (squares, *frames.shape[1:3])
    try:
        state = predictor.init_state("frames in memory")
    finally:
        module.load_video_frames = load
    for prompt in prompts:
        point(predictor, state, prompt)
    found = predictor.propagate_in_video(state, reverse=reverse)
    return {frame: logits[:, 0].float().numpy() for frame, _, logits in found}
