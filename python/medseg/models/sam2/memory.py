"""What is kept of an object's past: no more than SAM 2 can still attend to."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FORWARD, BACKWARD = 1, -1


class ObjectMemory:
    """The memories of one object in the frames around the present one.

    Frames in which it was pointed at are kept; of the others the last `num_maskmem - 1` spatial
    memories and the last `max_obj_ptrs_in_encoder - 1` pointers in the direction of tracking: 6
    and 15. The package keeps all of them.
    """

    def __init__(self, network: nn.Module, *, most_prompted: int | None = None) -> None:
        self._reach_spatial = network.num_maskmem - 1
        self._reach_pointer = network.max_obj_ptrs_in_encoder - 1
        self._most_prompted = most_prompted
        self.prompted: dict[int, tuple[Tensor, Tensor]] = {}  # frame: (spatial, pointer)
        self.spatial: dict[int, Tensor] = {}  # frame: (1,64,S/16,S/16)
        self.pointer: dict[int, Tensor] = {}  # frame: (1,256)

    def remember_prompted(self, frame: int, spatial: Tensor, pointer: Tensor) -> None:
        """Keep what was seen in a frame in which the object was pointed at."""
        self.prompted[frame] = (spatial, pointer)
        self.spatial.pop(frame, None)
        self.pointer.pop(frame, None)
        if self._most_prompted is not None:
            for old in sorted(self.prompted)[1 : 1 - self._most_prompted]:
                del self.prompted[old]  # the first one and the latest ones stay

    def remember(self, frame: int, spatial: Tensor, pointer: Tensor, *, direction: int) -> None:
        """Keep what was seen in a tracked frame, and drop what is out of the next one's reach."""
        self.spatial[frame] = spatial
        self.pointer[frame] = pointer
        upcoming = frame + direction
        for kept, reach in (
            (self.spatial, self._reach_spatial),
            (self.pointer, self._reach_pointer),
        ):
            for old in [t for t in kept if not 1 <= (upcoming - t) * direction <= reach]:
                del kept[old]

    def forget_tracked(self) -> None:
        """Drop what was tracked, before the clip is gone through in the other direction."""
        self.spatial.clear()
        self.pointer.clear()

    def spatial_at(self, frame: int, *, direction: int) -> list[tuple[int, Tensor]]:
        """Spatial memories to attend to, each with how many frames ago; 0 where pointed at."""
        found = [(0, spatial) for spatial, _ in self.prompted.values()]
        for ago in range(self._reach_spatial, 0, -1):
            memory = self.spatial.get(frame - ago * direction)
            if memory is not None:
                found.append((ago, memory))
        return found

    def pointers_at(
        self, frame: int, *, direction: int, reach: int | None = None
    ) -> list[tuple[int, Tensor]]:
        """Object pointers to attend to, each with how many frames ago; none of the future."""
        reach = self._reach_pointer if reach is None else reach
        found = [
            ((frame - t) * direction, pointer)
            for t, (_, pointer) in self.prompted.items()
            if (frame - t) * direction >= 0
        ]
        for ago in range(1, reach + 1):
            pointer = self.pointer.get(frame - ago * direction)
            if pointer is not None:
                found.append((ago, pointer))
        return found


def _drop_beyond(kept: dict[int, Tensor], upcoming: int, direction: int, reach: int) -> None:
    for old in [t for t in kept if not 1 <= (upcoming - t) * direction <= reach]:
        del kept[old]


def memory_tokens(
    network: nn.Module,
    spatial: list[list[tuple[int, Tensor]]],
    pointers: list[list[tuple[int, Tensor]]],
    *,
    farthest_pointer: int,
    dtype: torch.dtype,
) -> tuple[Tensor, Tensor, int]:
    """Line up the memories of several objects, each with equally many, for the attention.

    The package hands the spatial memories on as bfloat16, which fails beside float32 weights
    where an object has no pointer yet; here they are brought to the type of the computation.

    Args:
        network: SAM 2.
        spatial: for each object (frames ago, memory (1,64,h,w)).
        pointers: for each object (frames ago, pointer (1,256)).
        farthest_pointer: frames ago that count as 1 in a pointer's position in time.
        dtype: what the attention computes in.

    Returns:
        Tokens (L,object,64), their positions (L,object,64), and how many of L, at the end, are of
        pointers.
    """
    grid = torch.stack(
        [torch.cat([memory for _, memory in own]) for own in spatial]
    )  # (object,n,64,h,w)
    where = network.memory_encoder.position_encoding(grid[:1, 0]).to(dtype)  # (1,64,h,w)
    tokens = grid.to(dtype).flatten(3).permute(1, 3, 0, 2).flatten(0, 1)  # (n*h*w,object,64)
    ago = torch.tensor([[frames for frames, _ in own] for own in spatial], device=grid.device)
    when = network.maskmem_tpos_enc[:, 0, 0][(ago - 1) % network.num_maskmem]  # (object,n,64)
    place = where[0].flatten(1).T[None, :, None]  # (1,h*w,1,64)
    positions = (place + when.permute(1, 0, 2)[:, None]).to(dtype).flatten(0, 1)
    if not pointers[0]:
        return tokens, positions, 0
    own = torch.stack([torch.cat([pointer for _, pointer in p]) for p in pointers], 1)
    count, objects, width = own.shape  # (p,object,256)
    pieces = width // tokens.shape[-1]
    split = own.view(count, objects, pieces, -1).permute(0, 2, 1, 3).flatten(0, 1)
    since = _pointer_positions(network, pointers, farthest_pointer, width, split)
    return (
        torch.cat([tokens, split.to(dtype)]),
        torch.cat([positions, since.to(positions.dtype)]),
        count * pieces,
    )


def _pointer_positions(
    network: nn.Module,
    pointers: list[list[tuple[int, Tensor]]],
    farthest: int,
    width: int,
    like: Tensor,
) -> Tensor:
    """Positions in time (p*pieces,object,64) of pointers that were split into pieces."""
    if not network.add_tpos_enc_to_obj_ptrs:
        return torch.zeros_like(like)
    ago = torch.tensor(
        [[a for a, _ in own] for own in pointers], device=like.device
    ).T  # (p,object)
    if not network.use_signed_tpos_enc_to_obj_ptrs:
        ago = ago.abs()
    encoded = network.obj_ptr_tpos_proj(sine_positions(ago / farthest, width))  # (p,object,64)
    return encoded.repeat_interleave(len(like) // len(encoded), dim=0)


def sine_positions(when: Tensor, width: int) -> Tensor:
    """Sines and cosines (...,width) of positions (...), as in "Attention is all you need"."""
    half = width // 2
    exponent = 2 * (torch.arange(half, dtype=torch.float32, device=when.device) // 2) / half
    angle = when[..., None] / 10000.0**exponent
    return torch.cat([angle.sin(), angle.cos()], -1)
