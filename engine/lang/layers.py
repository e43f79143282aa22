"""Content over shipped content: which files count, and whom a directory belongs to."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Final

from engine.lang.content_files import ContentFile, ContentFiles

_SHIPPED: Final = "shipped/"


@dataclass(frozen=True, slots=True)
class Layer:
    """The files of one directory; `prefix` is put before their names in messages."""

    files: tuple[ContentFile, ...]
    prefix: str = ""

    def prefixed(self, prefix: str) -> Layer:
        """The same files, named so that they cannot be taken for the content's own."""
        named = tuple(replace(file, name=f"{prefix}{file.name}") for file in self.files)
        return Layer(named, prefix)

    def under(self, folder: str) -> tuple[ContentFile, ...]:
        """The files directly in a folder."""
        where = f"{self.prefix}{folder}"
        return tuple(file for file in self.files if file.name.rpartition("/")[0] == where)


@dataclass(frozen=True, slots=True)
class Layers:
    """The content, and beneath it the shipped content where the settings want that."""

    content: Layer
    shipped: Layer | None

    @property
    def bottom_up(self) -> tuple[Layer, ...]:
        """What lies beneath comes first."""
        return (self.content,) if self.shipped is None else (self.shipped, self.content)

    def under(self, folder: str) -> tuple[ContentFile, ...]:
        """The content's own files in a folder; shipped ones are there by themselves."""
        return self.content.under(folder)

    def configs(self, name: str) -> tuple[ContentFile, ...]:
        """`configs/NAME.yaml` of both layers, the shipped one first."""
        return tuple(
            file
            for layer in self.bottom_up
            for file in layer.under("configs")
            if file.name == f"{layer.prefix}configs/{name}.yaml"
        )


def over_shipped(content: ContentFiles, shipped: tuple[ContentFile, ...]) -> Layers:
    """Content over shipped files."""
    return Layers(Layer(content.files), Layer(shipped).prefixed(_SHIPPED))


def is_shipped(file: str) -> bool:
    """Whether a file, as positions name it, lies beneath the content."""
    return file.startswith(_SHIPPED)


def is_shared(content: ContentFiles) -> bool:
    """Whether somebody else than root and the user who runs Wakil may change the content."""
    return bool(content.owners - {0, os.geteuid()})
