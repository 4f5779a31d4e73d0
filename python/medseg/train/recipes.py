"""The published systems' training, each as one configuration, with what differs from theirs."""

from __future__ import annotations

from dataclasses import replace

from medseg.augment import Augmentation
from medseg.errors import InputError
from medseg.models.medivista import MediViSTAShape
from medseg.models.sam2.trainable import Sam2Shape
from medseg.models.simlvseg_superimage import SuperimageShape
from medseg.train.config import Config, Data, Network, Objective, Optimiser, Run, Schedule
from medseg.train.networks import SHAPES, narrower

_SIMLVSEG = Network("simlvseg-3d", shape=SHAPES["simlvseg-3d"]())

RECIPES: dict[str, Config] = {
    "echonet": Config(
        recipe="echonet",
        network=Network("echonet", shape=SHAPES["echonet"]()),
        objective=Objective("traced-pairs", "bce", reduction="sum", best_by="loss"),
        optimiser=Optimiser("sgd", learning_rate=1e-5, weight_decay=0.0, momentum=0.9),
        run=Run(epochs=50, batch=20),
    ),
    "echonet-ef": Config(
        recipe="echonet-ef",
        data=Data(frames=32, period=2),
        network=Network("echonet-ef", shape=SHAPES["echonet-ef"]()),
        objective=Objective("ef", "mse", best_by="loss"),
        augmentation=Augmentation(crop_px=12),
        optimiser=Optimiser("sgd", learning_rate=1e-4, weight_decay=1e-4, momentum=0.9),
        schedule=Schedule("steps", milestones=(15.0, 30.0), gamma=0.1),
        run=Run(epochs=45, batch=20),
    ),
    "unilvseg-ssl": Config(
        recipe="unilvseg-ssl",
        data=Data(frames=32),
        network=_SIMLVSEG,
        objective=Objective("masked-clips", "mse", mask_ratio=0.6, best_by="loss"),
        optimiser=Optimiser(
            "adamw", learning_rate=3e-4, weight_decay=1e-3, betas=(0.9, 0.95), amsgrad=True
        ),
        run=Run(epochs=100, batch=2),
    ),
    "unilvseg": Config(
        recipe="unilvseg",
        data=Data(frames=32),
        network=_SIMLVSEG,
        objective=Objective("clips", "dice-pooled", best_by="dice"),
        augmentation=Augmentation(
            colour_jitter=0.2,
            colour_jitter_probability=0.5,
            clahe_probability=0.5,
            clahe_clip_limit=4.0,
            rotation_deg=20.0,
            crop_px=6,
        ),
        optimiser=Optimiser("adamw", learning_rate=3e-4, weight_decay=1e-5, amsgrad=True),
        schedule=Schedule("steps", milestones=(45.0, 60.0), gamma=0.1),
        run=Run(epochs=70, batch=16),
    ),
    "unet": Config(
        recipe="unet",
        data=Data(normalisation="none"),
        network=Network("unet", shape=SHAPES["unet"]()),
        objective=Objective("traced-frames", "bce", best_by="loss"),
        optimiser=Optimiser("adam", learning_rate=1e-4),
        run=Run(epochs=20, batch=64),
    ),
    "unet-landmarks": Config(
        recipe="unet-landmarks",
        data=Data(normalisation="none"),
        network=Network("unet-landmarks", shape=SHAPES["unet-landmarks"]()),
        objective=Objective("landmarks", "heatmap-cross-entropy", best_by="loss"),
        optimiser=Optimiser("adam", learning_rate=1e-4),
        run=Run(epochs=5, batch=64),
    ),
    "medsam2-2d": Config(
        recipe="medsam2-2d",
        data=Data(size=1024, traced="all", normalisation="imagenet"),
        network=Network(
            "sam2",
            frozen=(
                "sam_prompt_encoder",
                "memory_",
                "maskmem",
                "mask_downsample",
                "obj_ptr",
                "no_",
            ),
            shape=Sam2Shape(image_size=1024, single_mask=True),
        ),
        objective=Objective("boxed-frames", "dice-bce", box_jitter=5 / 256, best_by="loss"),
        optimiser=Optimiser("adamw", learning_rate=6e-5, weight_decay=0.01),
        run=Run(epochs=1000, batch=16),
    ),
    "medsam2-video": Config(
        recipe="medsam2-video",
        data=Data(size=512, frames=8, traced="all", normalisation="imagenet"),
        network=Network("sam2", frozen=("sam_prompt_encoder",), shape=Sam2Shape(image_size=512)),
        objective=Objective("boxed-clips", "focal-dice-iou", box_jitter=5 / 256, best_by="dice"),
        optimiser=Optimiser(
            "adamw",
            learning_rate=5e-5,
            weight_decay=0.1,
            decay_biases=False,
            encoder_share=0.6,
            block_share=0.9,
            clip_gradient=0.1,
        ),
        schedule=Schedule("cosine", end_share=0.1),
        augmentation=Augmentation(
            colour_jitter=0.1, colour_jitter_probability=1.0, rotation_deg=25.0
        ),
        run=Run(epochs=75, batch=2),
    ),
    "medivista": Config(
        recipe="medivista",
        data=Data(size=256, frames=10, normalisation="imagenet"),
        network=Network(
            "medivista",
            frozen=("image_encoder",),
            shape=MediViSTAShape(objects=("left_ventricle",)),
        ),
        objective=Objective("clips", "bce", best_by="dice"),
        optimiser=Optimiser("adamw", learning_rate=8e-4, weight_decay=0.1),
        schedule=Schedule("poly", power=7.0, warm_up=0.01),
        run=Run(epochs=400, batch=2),
    ),
}

ABOUT: dict[str, str] = {
    "echonet": """EchoNet-Dynamic's segmentation: DeepLabV3-ResNet50 on the traced ED and ES frames.
As published, but: ED and ES are told by area, not by their order in the table; both go through the
network together, so that batch normalisation sees both; the weights start from chance, where the
published "random" silently took an ImageNet backbone: give such a file (torchvision's resnet50)
with --pretrained.""",
    "echonet-ef": """EchoNet-Dynamic's ejection fraction: R(2+1)D-18 on 32 frames, every second one.
As published, but: a clip that is too short is reflected in time, not filled with grey; validation
clips are the middle ones, not random; the weights start from chance, where the published ones took
Kinetics-400's: give such a file (torchvision's r2plus1d_18) with --pretrained.""",
    "unilvseg-ssl": """SimLVSeg's (UniLVSeg's) self-supervision: frames are blacked out and guessed.
As published, but: the super image's frames are masked by the same share as the 3-D network's (the
published code blacks out one minus it). Go on with: medseg train --recipe unilvseg --pretrained RUN
A publicly trained encoder is only used where --pretrained names its file.""",
    "unilvseg": """SimLVSeg's (UniLVSeg's) weak supervision: the loss is of one traced frame a clip.
As published, but: the contrast is equalised on luma; what rotates in from outside is black.
--pretrained takes a unilvseg-ssl run; a publicly trained encoder only where it names its file.""",
    "unet": """The masks half of the masks-against-landmarks study: U-Net, traced frames alone.
As published, but: patients are split, not frames; images and masks are paired by name; row 0 of a
tracing, the long axis, is no part of the outline. The weights start from chance.""",
    "unet-landmarks": """The landmarks half of the study: seven heatmaps of points on the contour.
As published, but: the points lie equally spaced along the tracing, so that each channel is the same
place in every heart (the study took the sharpest corners); patients are split, not frames. It needs
tracings of EchoNet-Dynamic's kind, whose chords tell the mitral plane. Starts from chance.""",
    "medsam2-2d": """MedSAM 2's fine-tuning on pictures: a box points, the image encoder and the
mask decoder learn. As published, but: size, version and picture are set under [network.shape]; the
split is by patient, not the first 40 scans; samples come in a new order each epoch. Give Meta's
weights with --pretrained; without them it starts from chance. Boxes teach one mask alone, so that
no other stands in for it afterwards. RUN/sam2.pt opens in other tools, which are to be told so.""",
    "medsam2-video": """MedSAM 2's fine-tuning with memory: 8 pictures, a box on the first.
As published: rates by block, their cosine down to a tenth, weight decay, gradient norm, batch,
epochs and the weights of the loss. But: only boxes point, one object a sample; pictures are turned
and change their light, but are not mirrored or sheared; where two frames of a clip are traced
(EchoNet) the window is spread from one to the other and these two bear the loss. RUN/sam2.pt opens
in other tools.""",
    "medivista": """MediViSTA: SAM's image encoder stays as it is; adapters, branch, factors and
decoder learn from windows of 10 frames. As in the public code of 2025, but: the loss is of the
traced frame alone, so that EchoNet-shaped data will do, for the cavity; the warm-up is a hundredth
of the training, where the code has 250 steps. Give SAM's ViT weights with --pretrained.""",
}


def recipe(name: str) -> Config:
    """A preset by name; raises InputError naming those there are."""
    if name not in RECIPES:
        raise InputError(f"--recipe {name}: choose default, {', '.join(RECIPES)}")
    return RECIPES[name]


def with_model(config: Config, model: str, width: float = 1.0) -> Config:
    """The same recipe for another network that does its task, with its window of frames."""
    if model not in SHAPES:
        raise InputError(f"--model {model}: choose {', '.join(SHAPES)}")
    shape = config.network.shape if model == config.network.model else SHAPES[model]()
    frames = config.data.frames
    if isinstance(shape, SuperimageShape) and model != config.network.model:
        frames = shape.frames_per_side**2
    shape = narrower(model, shape, width)
    network = replace(config.network, model=model, shape=shape)
    return replace(config, network=network, data=replace(config.data, frames=frames))


def with_frames(config: Config, frames: int) -> Config:
    """The same recipe with another window; raises InputError where the network cannot have it."""
    shape = config.network.shape
    if config.data.frames == 1:
        raise InputError(f"--frames {frames}: {config.network.model} sees each frame by itself")
    if isinstance(shape, SuperimageShape):
        side = round(max(frames, 0) ** 0.5)
        if side < 1 or side**2 != frames:
            raise InputError(f"--frames {frames}: a super image is square; give 4, 9, 16 or 25")
        shape = replace(shape, frames_per_side=side)
    elif hasattr(shape, "frames"):
        step = 2 ** (len(shape.widths) - 1) if hasattr(shape, "widths") else 1
        if frames < step or frames % step:
            raise InputError(f"--frames {frames}: give a multiple of {step} for this network")
        shape = replace(shape, frames=frames)
    elif frames < 2:
        raise InputError(f"--frames {frames}: give 2 or more")
    return replace(
        config,
        data=replace(config.data, frames=frames),
        network=replace(config.network, shape=shape),
    )


def with_epochs(config: Config, epochs: int) -> Config:
    """The same recipe made longer or shorter, its milestones at the same shares of it."""
    stretch = epochs / config.run.epochs
    milestones = tuple(m * stretch for m in config.schedule.milestones)
    return replace(
        config,
        run=replace(config.run, epochs=epochs),
        schedule=replace(config.schedule, milestones=milestones),
    )
