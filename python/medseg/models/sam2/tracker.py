"""Objects are found in one frame after another from what is remembered of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from medseg.models.sam2.features import Features, without_gradients
from medseg.models.sam2.load import Sam2
from medseg.models.sam2.memory import FORWARD, ObjectMemory, memory_tokens
from medseg.models.sam2.prompts import Prompt, point_inputs

_STEADIEST_LOGIT = 32.0  # to which earlier logits are cut before they are given back as a hint


class Tracker:
    """The state of a run over a clip: what is remembered of each object, and nothing else.

    Logits are (1,1,S/4,S/4) float32 for an object, S being the side of the network's square.
    """

    def __init__(
        self,
        sam2: Sam2,
        *,
        height: int,
        width: int,
        frame_count: int | None = None,
        memory_dtype: torch.dtype = torch.bfloat16,
        most_prompted: int | None = None,
    ) -> None:
        """Begin with no object.

        Args:
            sam2: the network.
            height: rows of the frames, in which prompts are given.
            width: columns of the frames.
            frame_count: of the clip; None where it is not known. SAM 2 scales a pointer's age by
                it in clips shorter than 16 frames.
            memory_dtype: what memories are rounded to; the package's is bfloat16.
            most_prompted: prompted frames that are remembered of an object, the first and the
                latest; all where None.
        """
        self.sam2 = sam2
        self.height, self.width = height, width
        self._memory_dtype = memory_dtype
        self._most_prompted = most_prompted
        most = sam2.network.max_obj_ptrs_in_encoder
        self._pointers = most if frame_count is None else min(frame_count, most)
        self.objects: dict[str, ObjectMemory] = {}

    def prompt(self, prompt: Prompt, features: Features) -> Tensor:
        """Find an object where it is pointed at, without looking at its past; gives its logits."""
        return _prompt(self.sam2, self, prompt, features)

    def correct(self, prompt: Prompt, features: Features, *, direction: int = FORWARD) -> Tensor:
        """Track an object into a frame and mend what is found there; gives its logits."""
        return _correct(self.sam2, self, prompt, features, direction)

    def step(
        self, frame: int, features: Features, names: Sequence[str], *, direction: int = FORWARD
    ) -> dict[str, Tensor]:
        """Track objects into a frame and remember it; gives the logits of each.

        Objects of which equally much is remembered are computed together.
        """
        return _step(self.sam2, self, frame, features, names, direction)

    def forget(self, name: str) -> None:
        """Stop following an object."""
        self.objects.pop(name, None)

    def kept(self) -> dict[str, int]:
        """How many prompted frames, spatial memories and pointers are held, over all objects."""
        own = self.objects.values()
        return {
            "prompted": sum(len(memory.prompted) for memory in own),
            "spatial": sum(len(memory.spatial) for memory in own),
            "pointer": sum(len(memory.pointer) for memory in own),
        }


@without_gradients
def _prompt(sam2: Sam2, tracker: Tracker, prompt: Prompt, features: Features) -> Tensor:
    network = sam2.network
    if prompt.mask is not None:
        found = network._use_mask_as_output(
            features.coarse, features.for_decoder(1), _mask_input(sam2, prompt)
        )
    else:
        given = _points(sam2, tracker, prompt)
        found = network._forward_sam_heads(
            backbone_features=features.coarse + network.no_mem_embed.permute(1, 2, 0)[..., None],
            point_inputs=given,
            high_res_features=features.for_decoder(1),
            multimask_output=network._use_multimask(True, given),
        )
    return _remember_prompted(sam2, tracker, prompt, features, found)


def _points(sam2: Sam2, tracker: Tracker, prompt: Prompt) -> dict[str, Tensor]:
    """A prompt's points and box as the network's heads take them."""
    return point_inputs(
        prompt,
        height=tracker.height,
        width=tracker.width,
        side=sam2.image_size,
        device=sam2.device,
    )


@without_gradients
def _correct(
    sam2: Sam2, tracker: Tracker, prompt: Prompt, features: Features, direction: int
) -> Tensor:
    if prompt.mask is not None:
        return _prompt(sam2, tracker, prompt, features)
    network = sam2.network
    seen = _attend(sam2, tracker, prompt.frame, features, [prompt.object], direction)
    before = _heads(sam2, seen, features, 1)[3]
    given = _points(sam2, tracker, prompt)
    found = network._forward_sam_heads(
        backbone_features=seen,
        point_inputs=given,
        mask_inputs=before.clamp(-_STEADIEST_LOGIT, _STEADIEST_LOGIT),
        high_res_features=features.for_decoder(1),
        multimask_output=network._use_multimask(False, given),
    )
    return _remember_prompted(sam2, tracker, prompt, features, found)


@without_gradients
def _step(
    sam2: Sam2,
    tracker: Tracker,
    frame: int,
    features: Features,
    names: Sequence[str],
    direction: int,
) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for group in _alike(tracker, frame, names, direction):
        seen = _attend(sam2, tracker, frame, features, group, direction)
        heads = _heads(sam2, seen, features, len(group))
        logits, large, pointer, present = heads[3], heads[4], heads[5], heads[6]
        spatial = _encode_memory(sam2, tracker, features, large, present, prompted=False)
        for i, name in enumerate(group):
            tracker.objects[name].remember(
                frame, spatial[i : i + 1], pointer[i : i + 1], direction=direction
            )
            found[name] = logits[i : i + 1]
    return {name: found[name] for name in names}


def _alike(tracker: Tracker, frame: int, names: Sequence[str], direction: int) -> list[list[str]]:
    """Group objects that have as many spatial memories and as many pointers as each other."""
    groups: dict[tuple[int, int], list[str]] = {}
    for name in names:
        memory = tracker.objects[name]
        spatial = memory.spatial_at(frame, direction=direction)
        pointers = memory.pointers_at(frame, direction=direction, reach=tracker._pointers - 1)
        groups.setdefault((len(spatial), len(pointers)), []).append(name)
    return list(groups.values())


def _attend(
    sam2: Sam2,
    tracker: Tracker,
    frame: int,
    features: Features,
    names: Sequence[str],
    direction: int,
) -> Tensor:
    """Features (object,256,S/16,S/16) of a frame in the light of what is remembered."""
    memories = [tracker.objects[name] for name in names]
    tokens, positions, pointers = memory_tokens(
        sam2.network,
        [memory.spatial_at(frame, direction=direction) for memory in memories],
        [
            memory.pointers_at(frame, direction=direction, reach=tracker._pointers - 1)
            for memory in memories
        ],
        farthest_pointer=max(1, tracker._pointers - 1),
        dtype=features.coarse.dtype,
    )
    seen = sam2.network.memory_attention(
        curr=[features.tokens(len(names))],
        curr_pos=[features.position_tokens(len(names))],
        memory=tokens,
        memory_pos=positions,
        num_obj_ptr_tokens=pointers,
    )  # (cells,object,256)
    return seen.permute(1, 2, 0).reshape(len(names), -1, *features.coarse.shape[-2:])


def _heads(sam2: Sam2, seen: Tensor, features: Features, objects: int) -> tuple[Tensor, ...]:
    network = sam2.network
    return network._forward_sam_heads(
        backbone_features=seen,
        high_res_features=features.for_decoder(objects),
        multimask_output=network._use_multimask(False, None),
    )


def _remember_prompted(
    sam2: Sam2, tracker: Tracker, prompt: Prompt, features: Features, found: tuple[Tensor, ...]
) -> Tensor:
    logits, pointer, present = found[3], found[5], found[6]
    large = functional.interpolate(
        logits, size=(sam2.image_size,) * 2, mode="bilinear", align_corners=False
    )
    spatial = _encode_memory(sam2, tracker, features, large, present, prompted=True)
    memory = tracker.objects.setdefault(
        prompt.object, ObjectMemory(sam2.network, most_prompted=tracker._most_prompted)
    )
    memory.remember_prompted(prompt.frame, spatial, pointer)
    return logits


def _encode_memory(
    sam2: Sam2,
    tracker: Tracker,
    features: Features,
    large: Tensor,
    present: Tensor,
    *,
    prompted: bool,
) -> Tensor:
    """Memories (object,64,S/16,S/16) of logits (object,1,S,S)."""
    spatial, _ = sam2.network._encode_new_memory(
        current_vision_feats=[features.tokens(len(large))],
        feat_sizes=[tuple(features.coarse.shape[-2:])],
        pred_masks_high_res=large,
        object_score_logits=present,
        is_mask_from_pts=prompted,
    )
    return spatial.to(tracker._memory_dtype)


def _mask_input(sam2: Sam2, prompt: Prompt) -> Tensor:
    """A prompt's mask as (1,1,S,S) of 0 and 1, shrunk as the package shrinks it."""
    inside = torch.from_numpy(prompt.mask.astype("float32"))[None, None].to(sam2.device)
    if inside.shape[-2:] == (sam2.image_size,) * 2:
        return inside
    small = functional.interpolate(
        inside, size=(sam2.image_size,) * 2, mode="bilinear", align_corners=False, antialias=True
    )
    return (small >= 0.5).float()
