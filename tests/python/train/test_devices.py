"""Two processes of torchrun change the weights as one does."""

import os
import subprocess
import sys
from dataclasses import replace

import torch
from safetensors.torch import load_file

from medseg.train import train, write_config
from medseg.train.config import Optimiser
from medseg.train.networks import build

RATE = 1.0


def test_two_processes_have_the_gradients_of_one(make_small, tmp_path):
    # The 3-D network is normalised sample by sample; SGD of rate 1 subtracts the gradient itself.
    config = make_small("unilvseg", steps=1)
    config = replace(
        config,
        objective=replace(config.objective, loss="dice"),
        optimiser=Optimiser("sgd", RATE, momentum=0.0),
        augmentation=type(config.augmentation)(rotation_deg=20.0),
        run=replace(config.run, batch=2, accumulate=2),
    )
    train(config, tmp_path / "one")
    two = replace(config, run=replace(config.run, devices=2))
    write_config(two, tmp_path / "two.toml")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
               "-m", "medseg.cli", "train", str(tmp_path / "two.toml"), "--out",
               str(tmp_path / "two")]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("weights.safetensors") == 1  # one of the two speaks
    torch.manual_seed(config.seed)
    start = build(config.network.model, config.network.shape).state_dict()
    one, both = (load_file(tmp_path / n / "last.safetensors") for n in ("one", "two"))
    largest = 0.0
    for key, value in start.items():
        gradients = [(value - run[key]) / RATE for run in (one, both)]
        torch.testing.assert_close(gradients[0], gradients[1], rtol=0, atol=1e-5)
        largest = max(largest, gradients[0].abs().max().item())
    assert largest > 0.01
