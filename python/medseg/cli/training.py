"""`medseg train`: the default model, or a published system's recipe on a data set."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medseg.cli.console import progress

if TYPE_CHECKING:
    from medseg.train import Config


def train(
    config: Annotated[
        Path | None, typer.Argument(help="A TOML file; --write-config makes one to be edited.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe",
            help="default (simulated clips only), echonet, echonet-ef, unilvseg-ssl, unilvseg, "
            "unet, unet-landmarks, medsam2-2d, medsam2-video, medivista.",
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="A data set; medseg data check it first.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A new folder; for --recipe default a .safetensors file."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out that was cut short.")
    ] = False,
    write_config: Annotated[
        Path | None, typer.Option("--write-config", help="Write the TOML and train nothing.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of first weights, order and chance.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="simlvseg-superimage in place of simlvseg-3d.")
    ] = None,
    pretrained: Annotated[
        Path | None, typer.Option("--pretrained", help="A run or weights file to start from.")
    ] = None,
    labels: Annotated[
        float | None, typer.Option("--labels", help="Share of patients whose tracings are used.")
    ] = None,
    width: Annotated[
        float | None, typer.Option("--width", help="Share of the network's channels: 0.25.")
    ] = None,
    frames: Annotated[
        int | None, typer.Option("--frames", help="That a clip's network sees at a time.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Milestones move.")] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="In all, whatever the epochs.")
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Over all devices.")] = None,
    accumulate: Annotated[
        int | None, typer.Option("--accumulate", min=1, help="Batches to a step.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", help="At its highest.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option("--precision", help="32-true, 16-mixed or bf16-mixed.")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="cpu, cuda, cuda:1.")] = None,
    devices: Annotated[
        int | None, typer.Option("--devices", min=1, help="As many as torchrun starts a machine.")
    ] = None,
    nodes: Annotated[int | None, typer.Option("--nodes", min=1, help="Machines.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=0, help="Processes that read or simulate clips.")
    ] = None,
    bursts: Annotated[
        int | None,
        typer.Option("--bursts", min=1, help="Of --recipe default: simulated hearts, twice over."),
    ] = None,
) -> None:
    """Train a network: a published system's recipe on a data set, or the default model."""
    from medseg.errors import InputError

    values = {name: value for name, value in locals().items() if name != "InputError"}
    if config is not None and config.suffix != ".toml":
        raise InputError(
            f"{config}: is no .toml file; the default model is trained with "
            f"medseg train --recipe default --out {config.with_suffix('.safetensors')}"
        )
    if recipe == "default":
        _train_default(values)
        return
    if bursts is not None:
        raise InputError("--bursts belongs to --recipe default, which alone simulates its clips")
    _train_recipe(values)


def _train_recipe(values: dict[str, Any]) -> None:
    from medseg.errors import InputError
    from medseg.train import train as run
    from medseg.train import write_config
    from medseg.train.config import check_values
    from medseg.train.recipes import ABOUT

    config = _config_of(values)
    check_values(config, name="medseg train")
    if values["write_config"] is not None:
        write_config(config, values["write_config"], head=ABOUT.get(config.recipe, ""))
        typer.echo(str(values["write_config"]))
        return
    out = values["out"]
    if out is None:
        raise InputError("no run folder is named; give --out RUN")
    with progress("train") as advance:
        told = run(
            config,
            out,
            resume=values["resume"],
            report=lambda stage, done, total, figures: (
                advance(done, total) if stage == "train" else None
            ),
        )
    if int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) > 0:
        return
    for name, value in told["best"].items():
        typer.echo(f"best {name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}")
    typer.echo(str(out / "weights.safetensors"))


def _config_of(values: dict[str, Any]) -> Config:
    """The configuration from a file, a preset or the run to resume, with the flags put in."""
    from medseg.errors import InputError
    from medseg.train import read_config
    from medseg.train.recipes import recipe, with_epochs, with_frames, with_model

    if values["config"] is not None and values["recipe"] is not None:
        raise InputError("a TOML file and --recipe are two configurations; give one of them")
    if values["config"] is not None:
        config = read_config(values["config"])
    elif values["recipe"] is not None:
        config = recipe(values["recipe"])
    elif values["resume"] and values["out"] is not None:
        if not (values["out"] / "config.toml").is_file():
            raise InputError(f"{values['out']}: no run to resume; give --recipe to begin one")
        config = read_config(values["out"] / "config.toml")
    else:
        raise InputError("name what to train: a TOML file, or --recipe NAME with --data and --out")
    if values["model"] is not None or values["width"] is not None:
        config = with_model(config, values["model"] or config.network.model, values["width"] or 1.0)
    if values["frames"] is not None:
        config = with_frames(config, values["frames"])
    if values["epochs"] is not None:
        config = with_epochs(config, values["epochs"])
    flags = {
        "data": {"path": _text(values["data"]), "labels": values["labels"],
                 "workers": values["workers"]},
        "network": {"pretrained": _text(values["pretrained"])},
        "optimiser": {"learning_rate": values["learning_rate"]},
        "run": {name: values[name] for name in ("steps", "batch", "accumulate", "precision",
                                                "device", "devices", "nodes")},
    }  # fmt: skip
    for section, changes in flags.items():
        given = {name: value for name, value in changes.items() if value is not None}
        config = replace(config, **{section: replace(getattr(config, section), **given)})
    return config if values["seed"] is None else replace(config, seed=values["seed"])


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _train_default(values: dict[str, Any]) -> None:
    """The shipped model's own training, on simulated bursts."""
    from medseg.errors import InputError, OutputError
    from medseg.train import DefaultRecipe, train_default

    flags = ("out", "seed", "bursts", "steps", "workers", "recipe")
    for name, value in values.items():
        if name not in flags and value not in (None, False):
            raise InputError(
                f"--recipe default takes --{', --'.join(flags[:-1])} and no others; leave out "
                f"--{name.replace('_', '-')}"
            )
    out = values["out"]
    if out is None or out.suffix != ".safetensors":
        raise OutputError(
            f"{out or '--out'}: --recipe default writes one weights file; name it .safetensors"
        )
    if not out.parent.is_dir():
        raise OutputError(f"{out.parent}: there is no such folder; make it first")
    given = {name: values[name] for name in ("seed", "bursts", "steps", "workers")}
    recipe = replace(DefaultRecipe(), **{k: v for k, v in given.items() if v is not None})
    with progress("train") as advance:
        figures = train_default(
            out, recipe, report=lambda stage, done, total, figures: advance(done, total)
        )
    for name, value in figures.items():
        typer.echo(f"{name}: {value:.4f}")
    typer.echo(str(out))
