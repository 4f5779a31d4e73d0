"""The one place where the optional package sam2 is asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType

from medseg.errors import MissingExtra


def has_sam2() -> bool:
    """Whether a package named sam2 is installed; it is not imported to find out."""
    return find_spec("sam2") is not None


def sam2_network() -> ModuleType:
    """Give `medseg.models.sam2.network`, which is built on sam2's modules.

    Raises:
        MissingExtra: sam2 or something that it needs is not installed, or another package of
            that name is.
    """
    try:
        with _hydra_as_it_was():
            from medseg.models.sam2 import network
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"SAM 2 needs the package {(error.name or 'sam2').split('.')[0]}; install it with: "
            "SAM2_BUILD_CUDA=0 pip install --no-build-isolation 'sam2>=1.1,<2'"
        ) from None
    except ImportError as error:
        raise MissingExtra(
            f"the installed package sam2 is not Meta's SAM 2 ({error}); uninstall it, then: "
            "SAM2_BUILD_CUDA=0 pip install --no-build-isolation 'sam2>=1.1,<2'"
        ) from None
    return network


@contextmanager
def _hydra_as_it_was() -> Iterator[None]:
    """Undo what importing sam2 does to Hydra, whose search path is the whole process's."""
    if "sam2" in sys.modules:
        yield
        return
    from hydra.core.singleton import Singleton

    before = dict(Singleton._instances)
    try:
        yield
    finally:
        Singleton._instances.clear()
        Singleton._instances.update(before)
