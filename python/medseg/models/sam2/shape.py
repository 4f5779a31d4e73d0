"""What fixes a SAM 2 architecture: its version, its size and the side of its picture."""

from __future__ import annotations

from dataclasses import dataclass

from medseg.errors import InputError

VERSIONS = ("2.0", "2.1")
STRIDE = 32  # a picture's side is a multiple of it: the embedding's windows tile it
LARGEST_SIDE_PX = 2048


@dataclass(frozen=True)
class EncoderShape:
    """The image encoder (Hiera, Ryali 2023) of one size, as SAM 2's authors configure it."""

    width: int  # channels of the first stage; doubled at each of the next three
    heads: int
    blocks: tuple[int, int, int, int]
    global_blocks: tuple[int, int, int]  # those that attend to the whole picture
    windows: tuple[int, int, int, int] = (8, 4, 14, 7)
    background: tuple[int, int] = (14, 14)  # cells of the positional embedding

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Channels of the stages, the deepest first."""
        return (8 * self.width, 4 * self.width, 2 * self.width, self.width)


SIZES: dict[str, EncoderShape] = {
    "tiny": EncoderShape(96, 1, (1, 2, 7, 2), (5, 7, 9), background=(7, 7)),
    "small": EncoderShape(96, 1, (1, 2, 11, 2), (7, 10, 13), background=(7, 7)),
    "base-plus": EncoderShape(112, 2, (2, 3, 16, 3), (12, 16, 20)),
    "large": EncoderShape(
        144, 2, (2, 6, 36, 4), (23, 33, 43), windows=(8, 4, 16, 8), background=(7, 7)
    ),
}


def check_shape(size: str, version: str, image_size: int) -> None:
    """Raise InputError unless there is such a SAM 2."""
    if size not in SIZES:
        raise InputError(f"no SAM 2 of size {size!r}; choose one of: {', '.join(SIZES)}")
    if version not in VERSIONS:
        raise InputError(f"no SAM 2 of version {version!r}; choose 2.0 or 2.1")
    if image_size % STRIDE or not 0 < image_size <= LARGEST_SIDE_PX:
        raise InputError(
            f"SAM 2 cannot see pictures of {image_size} pixels; give a multiple of {STRIDE} "
            f"up to {LARGEST_SIDE_PX}, such as 256, 512 or 1024"
        )
