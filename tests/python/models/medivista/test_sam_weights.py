"""SAM checkpoints of several kinds meet an encoder for other pictures."""

import pytest
import torch

from medseg.errors import WeightsError
from medseg.models import load_model
from medseg.models.medivista import EncoderShape, ImageEncoder, load_sam_encoder
from medseg.models.weights import read_checkpoint

NARROW = {"width": 16, "depth": 2, "heads": 2, "global_blocks": (1,), "window": 3, "neck": 8}


@pytest.fixture
def sam(tmp_path, seeded):
    """Write a checkpoint in SAM's layout, for pictures of 160 pixels; changed as asked."""

    def write(change=lambda tensors: tensors):
        state = seeded(ImageEncoder(EncoderShape(size=160, **NARROW)).state_dict(), 4)
        tensors = {f"image_encoder.{key}": tensor for key, tensor in state.items()}
        tensors["prompt_encoder.not_a_point_embed.weight"] = torch.zeros(1, 8)
        tensors["mask_decoder.iou_token.weight"] = torch.zeros(1, 8)
        torch.save(change(tensors), tmp_path / "sam_vit_b_01ec64.pth")
        return read_checkpoint(tmp_path / "sam_vit_b_01ec64.pth")

    return write


def test_weights_for_the_same_size_arrive_unchanged(sam):
    encoder = ImageEncoder(EncoderShape(size=160, **NARROW))
    checkpoint = sam()
    report = load_sam_encoder(encoder, checkpoint)
    assert report.keys.fits and report.interpolated == () and len(report.unused) == 2
    for key, tensor in encoder.state_dict().items():
        assert tensor.equal(checkpoint.tensors[f"image_encoder.{key}"])


def test_a_smaller_encoder_gives_what_sam_gives_with_its_tables_interpolated(sam):
    large = ImageEncoder(EncoderShape(size=160, **NARROW))
    small = ImageEncoder(EncoderShape(size=64, **NARROW))
    load_sam_encoder(large, sam())
    report = load_sam_encoder(small, sam())
    assert set(report.interpolated) == {
        "pos_embed",
        "blocks.1.attn.rel_pos_h",
        "blocks.1.attn.rel_pos_w",
    }
    assert "3 position tables interpolated; 2 tensors of SAM's other parts" in str(report)
    pictures = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(small(pictures), large(pictures))


def test_what_is_missing_or_unknown_is_named(sam):
    encoder = ImageEncoder(EncoderShape(size=64, **NARROW))

    def without(tensors):
        del tensors["image_encoder.neck.1.bias"]
        return {**tensors, "image_encoder.blocks.7.norm1.bias": torch.zeros(16)}

    with pytest.raises(WeightsError, match=r"1 missing: neck\.1\.bias; 1 unexpected: blocks\.7"):
        load_sam_encoder(encoder, sam(without))


def test_weights_of_another_width_or_of_sam_2_are_refused(sam):
    wide = ImageEncoder(EncoderShape(size=64, **{**NARROW, "width": 32}))
    with pytest.raises(WeightsError, match="of another shape"):
        load_sam_encoder(wide, sam())

    def sam_2(tensors):
        return {key.replace("image_encoder", "trunk"): t for key, t in tensors.items()}

    with pytest.raises(WeightsError, match="not one of SAM 2"):
        load_sam_encoder(wide, sam(sam_2))


def test_sam_s_own_weights_are_no_medivista(sam):
    with pytest.raises(WeightsError, match="SAM's own weights, which MediViSTA starts from"):
        load_model("medivista", weights=sam().path)
