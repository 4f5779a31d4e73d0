"""Builds SAM 2's network of the package's own modules, without Hydra and on the CPU."""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import Any

import torch
from sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator
from sam2.modeling.backbones.hieradet import Hiera
from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder
from sam2.modeling.memory_attention import MemoryAttention, MemoryAttentionLayer
from sam2.modeling.memory_encoder import CXBlock, Fuser, MaskDownSampler, MemoryEncoder
from sam2.modeling.position_encoding import PositionEmbeddingSine, compute_axial_cis
from sam2.modeling.sam.mask_decoder import MaskDecoder
from sam2.modeling.sam.prompt_encoder import PromptEncoder
from sam2.modeling.sam.transformer import Attention, RoPEAttention, TwoWayTransformer
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor
from torch.nn import functional

from medseg.models.sam2.shape import SIZES

WIDTH, MEMORY_WIDTH = 256, 64  # channels of the features and of the memories
_QUERIES_AT_ONCE = 128  # whose weights lie in a processor's cache

# What the package adds to its own configurations unless told not to (apply_postprocessing=True);
# its filling of holes is left out: it needs a compiled part, and medseg closes holes itself.
_POSTPROCESSING: dict[str, Any] = {
    "binarize_mask_from_pts_for_mem_enc": True,
    "sam_mask_decoder_extra_args": {
        "dynamic_multimask_via_stability": True,
        "dynamic_multimask_stability_delta": 0.05,
        "dynamic_multimask_stability_thresh": 0.98,
    },
}
_SINCE_2_1: dict[str, Any] = {
    "no_obj_embed_spatial": True,
    "proj_tpos_enc_in_obj_ptrs": True,
    "use_signed_tpos_enc_to_obj_ptrs": True,
}


class Trunk(Hiera):
    """The package's trunk with a faster table of where its cells lie, laid out as they are."""

    def _get_pos_embed(self, hw: tuple[int, int]) -> Tensor:
        """A stretched table plus one that is the same in each window: (1,h,w,C)."""
        window = self.pos_embed_window[0].permute(1, 2, 0)[:, None]  # (n,1,n,C)
        table = self.pos_embed[0].permute(1, 2, 0).float()  # (i,j,C)
        with torch.autocast(table.device.type, enabled=False):  # bfloat16 would blur the positions
            rows, columns = (_stretching(self.pos_embed, cells) for cells in hw)
            along = torch.tensordot(columns, table, ([1], [1]))  # (w,i,C)
            whole = torch.tensordot(rows, along, ([1], [1]))  # (h,w,C)
        size = len(window)
        tiled = whole.view(hw[0] // size, size, hw[1] // size, size, -1) + window
        return tiled.view(1, *hw, -1).type_as(self.pos_embed)


def _stretching(table: Tensor, cells: int) -> Tensor:
    """Weights (cells,n) of a square table's n entries when it is stretched, bicubically."""
    each = torch.eye(table.shape[-1], device=table.device)[None, ..., None]  # (1,n,n,1)
    return functional.interpolate(each, size=(cells, 1), mode="bicubic")[0, ..., 0].T


class RotaryAttention(RoPEAttention):
    """The package's attention, made without a context on a GPU that nobody named, and leaner.

    Keys are turned in place, where the package copies them and a table as large as they are. On a
    CPU memories are averaged as they are, of 64 channels, and then widened to values of 256.
    """

    def __init__(self, *, side: int, repeat_keys: bool = False, **attention: Any) -> None:
        Attention.__init__(self, **attention)
        self.compute_cis = partial(
            compute_axial_cis, dim=self.internal_dim // self.num_heads, theta=10000.0
        )
        self.freqs_cis = self.compute_cis(end_x=side, end_y=side)
        self.rope_k_repeat = repeat_keys

    def forward(self, q: Tensor, k: Tensor, v: Tensor, num_k_exclude_rope: int = 0) -> Tensor:
        """Attend from q (B,N,C) to v (B,L,D) by k (B,L,D), its last `num_k_exclude_rope` unturned.

        N is the number of cells, and the turned keys are of whole pictures: a multiple of N.
        """
        if torch.is_grad_enabled() or self.num_heads != 1:
            return super().forward(q, k, v, num_k_exclude_rope)
        cells = q.shape[1]
        if self.freqs_cis.shape[0] != cells or self.freqs_cis.device != q.device:
            side = math.isqrt(cells)
            self.freqs_cis = self.compute_cis(end_x=side, end_y=side).to(q.device)
        query, key = self.q_proj(q), self.k_proj(k)  # (B,N,256), (B,L,256)
        turned = key.shape[1] - num_k_exclude_rope
        query = _turn(query, self.freqs_cis)
        if key.dtype == torch.float32:
            _turn(key[:, :turned], self.freqs_cis)  # where they are
        else:
            key[:, :turned] = _turn(key[:, :turned], self.freqs_cis)
        if query.device.type == "cpu" and query.dtype == torch.float32 and v.shape[-1] < WIDTH:
            return self.out_proj(self.v_proj(_averages(query, key, v)))  # the weights sum to 1
        value = self.v_proj(v)
        found = functional.scaled_dot_product_attention(
            query[:, None], key[:, None], value[:, None]
        )
        return self.out_proj(found[:, 0])


def _averages(query: Tensor, key: Tensor, memories: Tensor) -> Tensor:
    """Means (B,N,D) of memories (B,L,D), weighted by queries (B,N,C) and keys (B,L,C)."""
    scale, keys = 1 / math.sqrt(query.shape[-1]), key.transpose(1, 2)
    parts = query.split(max(1, _QUERIES_AT_ONCE // len(query)), dim=1)
    found = [torch.softmax((part * scale) @ keys, dim=-1) @ memories for part in parts]
    return torch.cat(found, dim=1)


def _turn(tokens: Tensor, angles: Tensor) -> Tensor:
    """Turn pairs of channels of tokens (B,r*N,C) by a table (N,C/2); float32 in place."""
    batch, count, width = tokens.shape
    pairs = tokens.float().unflatten(1, (-1, len(angles))).unflatten(3, (width // 2, 2))
    torch.view_as_complex(pairs).mul_(angles)  # (B,r,N,C/2)
    return pairs.flatten(3).view(batch, count, width).type_as(tokens)


def build_network(
    size: str, version: str, image_size: int, *, kind: type[SAM2Base] = SAM2Base
) -> SAM2Base:
    """Build a network with random weights on the CPU, ready for inference, of SAM2Base or a `kind`.

    Its state dict has the layout of the published checkpoints; no parameter depends on
    `image_size`. Pictures are (B,3,image_size,image_size), normalised as ImageNet's.
    """
    newer = version == "2.1"
    network = kind(
        image_encoder=_image_encoder(size),
        memory_attention=_memory_attention(image_size // 16),
        memory_encoder=_memory_encoder(),
        num_maskmem=7,
        image_size=image_size,
        sigmoid_scale_for_mem_enc=20.0,
        sigmoid_bias_for_mem_enc=-10.0,
        use_mask_input_as_output_without_sam=True,
        directly_add_no_mem_embed=True,
        use_high_res_features_in_sam=True,
        multimask_output_in_sam=True,
        iou_prediction_use_sigmoid=True,
        use_obj_ptrs_in_encoder=True,
        add_tpos_enc_to_obj_ptrs=newer,
        only_obj_ptrs_in_the_past_for_eval=True,
        pred_obj_scores=True,
        pred_obj_scores_mlp=True,
        fixed_no_obj_ptr=True,
        multimask_output_for_tracking=True,
        use_multimask_token_for_obj_ptr=True,
        multimask_min_pt_num=0,
        multimask_max_pt_num=1,
        use_mlp_for_obj_ptr_proj=True,
        **(_SINCE_2_1 if newer else {}),
        **_POSTPROCESSING,
    )
    return network.eval()


def in_precision(network: SAM2Base, dtype: torch.dtype) -> SAM2Base:
    """Hold the large parts in a type of lower precision, so that nothing is cast frame by frame."""
    for part in (network.image_encoder, network.memory_attention, network.memory_encoder):
        part.to(dtype)
    return network


def _position(channels: int) -> PositionEmbeddingSine:
    return PositionEmbeddingSine(num_pos_feats=channels, normalize=True, warmup_cache=False)


def _image_encoder(size: str) -> ImageEncoder:
    shape = SIZES[size]
    trunk = Trunk(
        embed_dim=shape.width,
        num_heads=shape.heads,
        stages=shape.blocks,
        global_att_blocks=shape.global_blocks,
        window_pos_embed_bkg_spatial_size=shape.background,
        window_spec=shape.windows,
    )
    neck = FpnNeck(
        position_encoding=_position(WIDTH),
        d_model=WIDTH,
        backbone_channel_list=list(shape.channels),
        fpn_top_down_levels=[2, 3],
        fpn_interp_model="nearest",
    )
    return ImageEncoder(trunk=trunk, neck=neck, scalp=1)


def _memory_attention(side: int) -> MemoryAttention:
    layer = MemoryAttentionLayer(
        activation="relu",
        d_model=WIDTH,
        dim_feedforward=2048,
        dropout=0.1,
        pos_enc_at_attn=False,
        pos_enc_at_cross_attn_keys=True,
        pos_enc_at_cross_attn_queries=False,
        self_attention=RotaryAttention(side=side, embedding_dim=WIDTH, num_heads=1, dropout=0.1),
        cross_attention=RotaryAttention(
            side=side,
            repeat_keys=True,
            embedding_dim=WIDTH,
            num_heads=1,
            dropout=0.1,
            kv_in_dim=MEMORY_WIDTH,
        ),
    )
    return MemoryAttention(d_model=WIDTH, pos_enc_at_input=True, layer=layer, num_layers=4)


def _memory_encoder() -> MemoryEncoder:
    block = CXBlock(dim=WIDTH, kernel_size=7, padding=3, layer_scale_init_value=1e-6)
    return MemoryEncoder(
        out_dim=MEMORY_WIDTH,
        position_encoding=_position(MEMORY_WIDTH),
        mask_downsampler=MaskDownSampler(kernel_size=3, stride=2, padding=1),
        fuser=Fuser(block, num_layers=2),
    )


def sam1_decoder(channels: int, *, side: int) -> tuple[PromptEncoder, MaskDecoder]:
    """SAM 1's prompt encoder and mask decoder, for squares of `side` pixels."""
    grid = (side // 16, side // 16)
    prompts = PromptEncoder(
        embed_dim=channels,
        image_embedding_size=grid,
        input_image_size=(side, side),
        mask_in_chans=16,
    )
    transformer = TwoWayTransformer(depth=2, embedding_dim=channels, num_heads=8, mlp_dim=2048)
    return prompts, MaskDecoder(transformer_dim=channels, transformer=transformer)


def random_network(size: str, version: str, image_size: int, seed: int) -> SAM2Base:
    """Build a network whose random weights follow from a seed; torch's own state stays as it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_network(size, version, image_size)


def mask_generator(network: SAM2Base, **options: Any) -> SAM2AutomaticMaskGenerator:
    """The package's generator of masks from a grid of points, for any size of picture.

    Its predictor has the features' sizes at 1024 pixels written into it and fails at any other.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.script`", FutureWarning)
        warnings.filterwarnings("ignore", "`torch.jit.script`", DeprecationWarning)
        generator = SAM2AutomaticMaskGenerator(network, **options)
    sides = [network.image_size // stride for stride in (4, 8, 16)]
    generator.predictor._bb_feat_sizes = [(side, side) for side in sides]
    return generator
