"""Folders of clips with their truth, read without opening the clips."""

from __future__ import annotations

from medseg.data.echonet_folder import EchoNetFolder, Tracing, Video, read_echonet_folder

__all__ = ["EchoNetFolder", "Tracing", "Video", "read_echonet_folder"]
