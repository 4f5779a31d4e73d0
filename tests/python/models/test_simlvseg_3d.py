"""SimLVSeg's 3-D U-Net against its authors' code and against MONAI."""

import warnings

import numpy as np
import pytest
import torch

from medseg.models import load_model
from medseg.models.simlvseg_3d import ResidualUnit, SimLVSeg3D, SimLVSeg3DShape


def test_it_has_the_public_code_s_keys_and_logits(gives_public_logits):
    gives_public_logits(SimLVSeg3D(SimLVSeg3DShape()), "simlvseg_3d")


@pytest.mark.parametrize(
    ("before", "after", "bare_end"), [(3, 8, False), (6, 6, False), (6, 1, True)]
)
def test_its_residual_unit_is_monai_s(before, after, bare_end):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from monai.networks import blocks
    theirs = blocks.ResidualUnit(3, before, after, subunits=2, last_conv_only=bare_end, dropout=0.0)
    ours = ResidualUnit(before, after, bare_end=bare_end)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, before, 6, 5, 4)
    torch.testing.assert_close(ours(x), theirs(x))


def test_the_published_lightning_checkpoint_loads(tmp_path):
    """Its keys begin with ``model.``, beside what Lightning keeps for itself."""
    state = SimLVSeg3D(SimLVSeg3DShape()).state_dict()
    path = tmp_path / "epoch=50-step=100.ckpt"
    content = {
        "epoch": 50,
        "pytorch-lightning_version": "1.7.2",
        "state_dict": {f"model.{key}": tensor for key, tensor in state.items()},
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.93), "dirpath": "."}},
        "lr_schedulers": [{"milestones": {45: 1, 60: 1}, "last_epoch": 51}],
    }
    torch.save(content, path)
    loaded = load_model("simlvseg-3d", weights=path)
    torch.testing.assert_close(dict(loaded.network.state_dict()), dict(state))
    assert loaded.frames_per_input == 32
    np.testing.assert_allclose(loaded.preparation.mean, (0.12741163, 0.1279413, 0.12912785))


def test_a_window_that_cannot_be_halved_is_refused():
    network = SimLVSeg3D(SimLVSeg3DShape(frames=4, widths=(2, 4, 4), units=(1, 1, 1)))
    with pytest.raises(ValueError, match="give sides divisible by 4"):
        network(torch.zeros(1, 3, 16, 16, 6))
