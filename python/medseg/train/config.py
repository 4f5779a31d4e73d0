"""What decides a training run, as dataclasses that are read from and written to TOML."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from medseg.augment import Augmentation
from medseg.errors import InputError
from medseg.files import write_whole
from medseg.train.networks import SHAPES

TASKS = (
    "traced-pairs",
    "traced-frames",
    "landmarks",
    "clips",
    "masked-clips",
    "ef",
    "boxed-frames",
    "boxed-clips",
)
LOSSES: dict[str, tuple[str, ...]] = {  # by task
    "traced-pairs": ("bce", "dice", "dice-pooled"),
    "traced-frames": ("bce", "dice", "dice-pooled"),
    "landmarks": ("heatmap-cross-entropy",),
    "clips": ("bce", "dice", "dice-pooled"),
    "masked-clips": ("mse",),
    "ef": ("mse",),
    "boxed-frames": ("dice-bce",),
    "boxed-clips": ("focal-dice-iou",),
}
MODELS: dict[str, tuple[str, ...]] = {  # by task
    "traced-pairs": ("echonet", "unet"),
    "traced-frames": ("echonet", "unet"),
    "landmarks": ("unet-landmarks",),
    "clips": ("simlvseg-3d", "simlvseg-superimage", "medivista"),
    "masked-clips": ("simlvseg-3d", "simlvseg-superimage"),
    "ef": ("echonet-ef",),
    "boxed-frames": ("sam2",),
    "boxed-clips": ("sam2",),
}
FIGURES = dict.fromkeys(TASKS, "dice") | {"masked-clips": "", "ef": "mae_ef"}  # by task
CHOICES: dict[tuple[str, str], tuple[str, ...]] = {  # (section, key): what it may be
    ("objective", "task"): TASKS,
    ("objective", "reduction"): ("mean", "sum"),
    ("objective", "best_by"): ("loss", "dice", "mae_ef"),
    ("data", "traced"): ("ed-es", "all"),
    ("data", "normalisation"): ("measured", "echonet", "imagenet", "none"),
    ("network", "model"): tuple(SHAPES),
    ("network", "pretrained_part"): ("all", "encoder"),
    ("network", "start_ef"): ("published", "train-mean"),
    ("optimiser", "name"): ("sgd", "adam", "adamw"),
    ("schedule", "kind"): ("constant", "steps", "cosine", "poly"),
    ("run", "precision"): ("32-true", "16-mixed", "bf16-mixed"),
}

Section = TypeVar("Section")


def of(default: Any, about: str = "") -> Any:
    """A field with its default and what it says about itself in a TOML file."""
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True)
class Data:
    """Which clips, and how they become samples."""

    path: str = of("", "a folder that medseg data check knows")
    kind: str = of("", "echonet, pediatric, camus, pairs or npz; empty: its files tell")
    fold: int = of(-1, "test on this fold of a data set with folds; -1: it has splits")
    draw_splits: bool = of(False, "draw splits by patient, for a data set that has none")
    labels: float = of(1.0, "share of the training patients whose tracings are used")
    traced: str = of("ed-es", "or all traced frames")
    size: int = of(112, "pixels of the square that the network sees")
    frames: int = of(1, "that the network sees at a time; 1 where it sees each by itself")
    period: int = of(1, "2: every second frame")
    normalisation: str = of(
        "measured", "on the training split; or echonet's or imagenet's, or none"
    )
    normalisation_clips: int = of(128, "training clips to measure it on, drawn by the seed")
    validation_samples: int = of(0, "of the VAL split, drawn by the seed; 0: all")
    workers: int = of(4, "processes that read clips; 0: none beside the training's own")
    cache_gib: float = of(2.0, "memory for decoded clips, over all workers of a device")


@dataclass(frozen=True)
class Network:
    """Which network, and what it starts from."""

    model: str = of("echonet")
    pretrained: str = of("", "a run folder or weights file to start from; empty: chance")
    pretrained_part: str = of("all", "or encoder, without what comes after it")
    frozen: tuple[str, ...] = of((), "parts, as parameters' names begin, that are not trained")
    start_ef: str = of("published", "EF said before training: 55.6 %, or the train-mean")
    shape: Any = None  # one of networks.SHAPES, by model


@dataclass(frozen=True)
class Objective:
    """What is learnt."""

    task: str = of("traced-pairs", ", ".join(TASKS))
    loss: str = of("bce", "bce, dice, dice-pooled; heatmap-cross-entropy; mse; by task")
    reduction: str = of("mean", "or sum, over samples and pixels, as EchoNet's")
    mask_ratio: float = of(0.6, "share of a masked clip's frames that are blacked out")
    sigma_px: float = of(3.0, "of a landmark's heatmap")
    box_jitter: float = of(0.02, "share of the square that a box's sides go outwards, at most")
    best_by: str = of("loss", "the figure of the VAL split whose best weights are kept")


@dataclass(frozen=True)
class Optimiser:
    """How weights are changed."""

    name: str = of("sgd", "sgd, adam or adamw")
    learning_rate: float = of(1e-5)
    weight_decay: float = of(0.0)
    momentum: float = of(0.9, "of sgd")
    betas: tuple[float, ...] = of((0.9, 0.999), "of adam and adamw")
    amsgrad: bool = of(False, "of adam and adamw")
    decay_biases: bool = of(True, "whether the weight decay pulls biases and layer norms too")
    encoder_share: float = of(1.0, "of the rate, for what is named image_encoder")
    block_share: float = of(1.0, "of the rate, from a block of SAM 2's trunk to the one before it")
    head_share: float = of(1.0, "of the rate, for the layer that says EF, in percent: 20 is its SD")
    clip_gradient: float = of(0.0, "norm that gradients are cut to; 0: they are not")


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes."""

    kind: str = of("constant", "constant, steps, cosine or poly")
    milestones: tuple[float, ...] = of((), "epochs at which it is multiplied by gamma")
    gamma: float = of(0.1)
    power: float = of(1.0, "of poly, which falls as (1 - share done) to this power")
    end_share: float = of(0.0, "of the full rate, to which a cosine falls")
    warm_up: float = of(0.0, "share of the training in which it rises from 0")


@dataclass(frozen=True)
class Run:
    """How long, and on what."""

    epochs: int = of(50)
    steps: int = of(0, "steps in all, whatever epochs says; schedules stretch to them; 0: epochs")
    steps_per_epoch: int = of(0, "0: as many as there are whole batches in the training list")
    batch: int = of(20, "samples, over all devices")
    accumulate: int = of(1, "batches to a step")
    average_decay: float = of(0.0, "of a running mean of the weights, kept instead; 0: none")
    patience: int = of(0, "epochs without a better figure after which to stop; 0: never")
    precision: str = of("32-true", "16-mixed or bf16-mixed: faster on GPUs")
    device: str = of("cpu", "cuda, cuda:1, ...")
    devices: int = of(1, "on each machine")
    nodes: int = of(1, "machines, under torchrun")
    tensorboard: bool = of(True)


@dataclass(frozen=True)
class Config:
    """A whole training run."""

    recipe: str = of("", "the name this goes by in tables")
    seed: int = of(0, "of first weights, order, samples and augmentation")
    data: Data = field(default_factory=Data)
    network: Network = field(default_factory=Network)
    objective: Objective = field(default_factory=Objective)
    augmentation: Augmentation = field(default_factory=Augmentation)
    optimiser: Optimiser = field(default_factory=Optimiser)
    schedule: Schedule = field(default_factory=Schedule)
    run: Run = field(default_factory=Run)


def read_config(path: Path) -> Config:
    """Read a TOML file; what it leaves out has the default of its section.

    Raises InputError naming the key that is unknown or has a wrong value, and what is allowed.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name a TOML file") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: is no TOML ({error})") from None
    return config_of(table, name=str(path))


def config_of(table: dict[str, Any], *, name: str) -> Config:
    """Build a configuration from nested tables, and check its values; raises InputError."""
    config = _section(Config, table, name, "")
    check_values(config, name=name)
    return config


def _section(kind: type[Section], table: dict[str, Any], name: str, where: str) -> Section:
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    unknown = next((key for key in table if key not in known), None)
    place = f"[{where}]" if where else "the file's top"
    if unknown is not None:
        raise InputError(f"{name}: no key {unknown!r} in {place}; allowed: {', '.join(known)}")
    hints = get_type_hints(kind)
    values = {}
    for key, value in table.items():
        wanted = hints[key]
        if kind is Network and key == "shape":
            model = table.get("model", Network.model)
            _choice(name, "network", "model", model)
            wanted = SHAPES[model]
        inner = f"{where}.{key}" if where else key
        if is_dataclass(wanted):
            if not isinstance(value, dict):
                raise InputError(f"{name}: {inner} is {value!r}, expected a table [{inner}]")
            values[key] = _section(wanted, value, name, inner)
        else:
            values[key] = _plain(value, wanted, f"{name}: {inner}")
    if kind is Network and values.get("shape") is None:
        model = values.get("model", Network.model)
        _choice(name, "network", "model", model)
        values["shape"] = SHAPES[model]()
    if kind is Config and "network" not in values:
        values["network"] = Network(shape=SHAPES[Network.model]())
    return kind(**values)


def _plain(value: Any, wanted: Any, where: str) -> Any:
    """A value of the type that the field has, whole numbers counting as decimals."""
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    inner = get_args(wanted)
    if inner and isinstance(value, list):
        return tuple(_plain(one, inner[0], where) for one in value)
    if inner or type(value) is not wanted:
        words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
        expected = f"a list, each {words[inner[0]]}" if inner else words[wanted]
        raise InputError(f"{where} is {value!r}, expected {expected}")
    return value


def _choice(name: str, section: str, key: str, value: Any) -> None:
    allowed = CHOICES[section, key]
    if value not in allowed:
        raise InputError(f"{name}: {section}.{key} is {value!r}; choose {', '.join(allowed)}")


def check_values(config: Config, *, name: str) -> None:
    """Raise InputError for a value, or two values together, that cannot be trained with."""
    for section, key in CHOICES:
        _choice(name, section, key, getattr(getattr(config, section), key))
    data, run, task = config.data, config.run, config.objective.task
    window = getattr(config.network.shape, "frames", None)
    if config.network.model == "simlvseg-superimage":
        window = config.network.shape.frames_per_side**2
    late = [m for m in config.schedule.milestones if not 0 < m < run.epochs]
    wrong = [
        (config.network.model in MODELS[task], f"network.model {config.network.model!r} does not "
         f"do the task {task}; choose {' or '.join(MODELS[task])}"),
        (config.objective.loss in LOSSES[task], f"objective.loss {config.objective.loss!r} is not "
         f"for the task {task}; choose {' or '.join(LOSSES[task])}"),
        (config.objective.best_by in ("loss", FIGURES[task]), f"objective.best_by "
         f"{config.objective.best_by!r} is not measured for the task {task}"),
        (window is None or data.frames == window, f"data.frames is {data.frames} and the "
         f"network's window {window}; make network.shape agree"),
        (getattr(config.network.shape, "image_size", data.size) == data.size, f"data.size is "
         f"{data.size} and the network's picture {config.network.shape.image_size}; make "
         "network.shape agree" if hasattr(config.network.shape, "image_size") else ""),
        (task != "boxed-clips" or data.frames >= 2, "data.frames must be 2 or more, or nothing "
         "is left to be tracked"),
        (task != "boxed-frames" or data.frames == 1, "data.frames must be 1 for single pictures"),
        (0 <= config.objective.box_jitter < 0.5, "objective.box_jitter must be 0 or more and "
         "below 0.5"),
        (0 < config.optimiser.encoder_share <= 1 and 0 < config.optimiser.block_share <= 1,
         "optimiser.encoder_share and optimiser.block_share must be above 0 and up to 1"),
        (config.optimiser.head_share > 0, "optimiser.head_share must be above 0"),
        (0 <= config.schedule.end_share <= 1, "schedule.end_share must lie between 0 and 1"),
        (config.schedule.power > 0, "schedule.power must be above 0"),
        (0 < data.labels <= 1, f"data.labels is {data.labels}, a share above 0 and up to 1"),
        (data.size >= 16 and data.frames >= 1 and data.period >= 1,
         "data.size must be 16 or more, data.frames and data.period 1 or more"),
        (data.normalisation_clips >= 1 and data.validation_samples >= 0 and data.workers >= 0,
         "data.normalisation_clips must be 1 or more, validation_samples and workers 0 or more"),
        (0 < config.objective.mask_ratio < 1, "objective.mask_ratio must lie between 0 and 1"),
        (run.epochs >= 1 and run.steps >= 0 and run.steps_per_epoch >= 0, "run.epochs must be 1 "
         "or more, run.steps and run.steps_per_epoch 0 or more"),
        (run.batch >= 1 and run.accumulate >= 1, "run.batch and run.accumulate must be 1 or more"),
        (run.devices >= 1 and run.nodes >= 1, "run.devices and run.nodes must be 1 or more"),
        (run.batch % (run.devices * run.nodes) == 0, f"run.batch {run.batch} cannot be shared "
         f"evenly by {run.devices * run.nodes} devices"),
        (0 <= run.average_decay < 1, "run.average_decay must be 0 or more and below 1"),
        (config.optimiser.learning_rate > 0, "optimiser.learning_rate must be above 0"),
        (len(config.optimiser.betas) == 2, "optimiser.betas must be two numbers"),
        (not late, f"schedule.milestones {list(late)} would never be reached in {run.epochs} "
         "epochs"),
        (0 <= config.schedule.warm_up < 1, "schedule.warm_up must be 0 or more and below 1"),
    ]  # fmt: skip
    for good, message in wrong:
        if not good:
            raise InputError(f"{name}: {message}")


def toml_of(config: Config, *, head: str = "") -> str:
    """The whole configuration as TOML, every value written out and explained."""
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    return "\n".join([*lines, *_lines(config, "")]).strip() + "\n"


def _lines(section: Any, where: str) -> list[str]:
    plain, tables = [], []
    for f in fields(section):
        value = getattr(section, f.name)
        if is_dataclass(value):
            inner = f"{where}.{f.name}" if where else f.name
            tables += ["", f"[{inner}]", *_lines(value, inner)]
        else:
            about = f.metadata.get("about", "")
            plain.append(f"{f.name} = {_text(value)}" + (f"  # {about}" if about else ""))
    return plain + tables


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_text(one) for one in value)}]"
    if isinstance(value, str | bool):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def write_config(config: Config, path: Path, *, head: str = "") -> None:
    """Write the whole configuration; raises OutputError."""
    write_whole(path, toml_of(config, head=head).encode())
