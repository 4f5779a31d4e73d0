"""SAM 2 with a forward pass to learn by: a box on the first picture, followed into the others."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor

_CORNERS = (2, 3)  # labels of a box's upper left and lower right corner


class Outlines(NamedTuple):
    """What is said of one picture of each sample; M is 1, or 3 where the answer is not clear."""

    logits: Tensor  # (B,M,S/4,S/4)
    overlap: Tensor  # (B,M) the overlap (IoU) that each is expected to have
    present: Tensor  # (B,1) logits of the object being in the picture


class Sam2Learner(SAM2Base):
    """SAM 2 whose `forward` can be learnt from; its tensors are named as everywhere."""

    def forward(self, squares: Tensor, boxes: Tensor) -> list[Outlines]:
        """Outline what a box holds, picture after picture.

        One picture is decoded as the image predictor does, without the memory module; of several
        the first is pointed at and the others are tracked into, as the video predictor does.

        Args:
            squares: (B,T,3,S,S), normalised.
            boxes: (B,4) x0, y0, x1, y1 in the pixels of the first picture.

        Returns:
            T outlines.
        """
        given = {
            "point_coords": boxes.view(-1, 2, 2),  # (B,4) -> (B,corner,2)
            "point_labels": boxes.new_tensor(_CORNERS, dtype=torch.int32).expand(len(boxes), 2),
        }
        count = squares.shape[1]
        encoded = self.forward_image(squares.transpose(0, 1).flatten(0, 1))  # (T*B,3,S,S)
        if count == 1:
            return [self._in_picture(encoded["backbone_fpn"], given)]
        return self._in_clip(encoded, given, len(boxes), count)

    def _in_picture(self, levels: list[Tensor], given: dict[str, Tensor]) -> Outlines:
        fine, middle, coarse = levels
        sparse, dense = self.sam_prompt_encoder(
            points=(given["point_coords"], given["point_labels"]), boxes=None, masks=None
        )
        logits, overlap, _, present = self.sam_mask_decoder(
            image_embeddings=coarse + self.no_mem_embed.permute(1, 2, 0)[..., None],
            image_pe=self.sam_prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=False,
            repeat_image=False,
            high_res_features=[fine, middle],
        )
        return Outlines(logits, overlap, present)

    def _in_clip(
        self, encoded: dict[str, Any], given: dict[str, Tensor], batch: int, count: int
    ) -> list[Outlines]:
        _, features, positions, sizes = self._prepare_backbone_features(encoded)
        past: dict[str, dict[int, dict[str, Any]]] = {
            "cond_frame_outputs": {},
            "non_cond_frame_outputs": {},
        }
        found = []
        for t in range(count):
            here = slice(t * batch, (t + 1) * batch)
            own = [level[:, here] for level in features]
            _, heads, _, _ = self._track_step(
                t,
                t == 0,
                own,
                [level[:, here] for level in positions],
                sizes,
                given if t == 0 else None,
                None,
                past,
                count,
                False,
                None,
            )
            several, _, overlap, _, large, pointer, present = heads
            found.append(Outlines(several, overlap, present))
            if t == count - 1:  # nobody looks back at the last one
                break
            spatial, place = self._encode_new_memory(own, sizes, large, present, t == 0)
            kind = "cond_frame_outputs" if t == 0 else "non_cond_frame_outputs"
            past[kind][t] = {
                "maskmem_features": spatial,
                "maskmem_pos_enc": place,
                "obj_ptr": pointer,
            }
        return found
