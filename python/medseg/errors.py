"""Every failure that a person may see, as one line: what, where, the cure.

MedsegError
├── InputError                 the clip or argument that was given (also a ValueError)
│   ├── ClipNotFound           nothing at that path (also a FileNotFoundError)
│   ├── ClipUnreadable         empty, truncated, random bytes, or a codec that cannot be decoded
│   ├── ClipHasNoFrames        readable, but without pictures
│   ├── FrameTimesUnknown      the file does not say when its frames were taken
│   └── FrameNotDecoded        one frame inside a readable clip cannot be decoded
├── OutputError                a full disk, an unwritable folder, a target that exists
├── StoreError                 a segmentation store
│   ├── StoreNotFound          nothing at that path (also a FileNotFoundError)
│   ├── StoreIncomplete        no manifest: never finished, or not a store
│   ├── StoreDamaged           a missing, short or altered file
│   ├── StoreVersionUnsupported
│   └── StoreInvalid           whole, but against the specification
├── WeightsError               missing, truncated, of another architecture, or unsafe to load
├── TrainingError              a loss that is not a number, a split without patients
├── MissingExtra               an optional package; the message names the extra to install
└── RUnavailable               Rscript or beatbybeat cannot be run
"""

from __future__ import annotations


class MedsegError(Exception):
    """Parent of every error that medseg raises on purpose; its message is one line."""


class InputError(MedsegError, ValueError):
    """What was given cannot be used."""


class ClipNotFound(InputError, FileNotFoundError):
    """There is no clip at the path."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ClipUnreadable(InputError):
    """The file is there, but no pictures can be decoded from it."""


class ClipHasNoFrames(InputError):
    """The file is readable, but holds no pictures."""


class FrameTimesUnknown(InputError):
    """The file does not say when its frames were taken, and nobody else did."""


class FrameNotDecoded(InputError):
    """Frames inside a readable clip cannot be decoded."""


class OutputError(MedsegError, OSError):
    """A result cannot be written where it was asked for."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class StoreError(MedsegError):
    """A segmentation store cannot be used."""


class StoreNotFound(StoreError, FileNotFoundError):
    """There is no store at the path."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class StoreIncomplete(StoreError):
    """The store has no manifest: its writing never ended, or it is no store of ours."""


class StoreDamaged(StoreError):
    """A file of the store is missing, short or altered."""


class StoreVersionUnsupported(StoreError):
    """The store follows a specification that this release cannot read."""


class StoreInvalid(StoreError):
    """The store is whole but breaks the specification."""


class WeightsError(MedsegError):
    """Weights are missing, truncated, of another architecture, or unsafe to load."""


class TrainingError(MedsegError):
    """Training cannot go on."""


class MissingExtra(MedsegError, ImportError):
    """An optional package is not installed; the message names the extra."""


class RUnavailable(MedsegError):
    """Rscript, or the R package beatbybeat, cannot be run."""
