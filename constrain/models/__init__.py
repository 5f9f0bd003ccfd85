"""Models of transformers under a constraint. The only package that imports torch and transformers.

Reading order:

- `protocols`: what decoding asks of the engine.
- `mask_application`: a packed mask onto logits.
- `logits_processor`: the constraint inside transformers' `generate()`.
- `vocabularies`, `prompts`, `streaming`: tokens to bytes, prompts to inputs, steps to text.
- `generation`: `generate`, `Model`, `Result`.
- `gguf_conversion`, `loading`: `load`.
"""

from transformers import set_seed

from constrain.models.generation import Model, Report, Result, generate, generate_batch
from constrain.models.loading import load
from constrain.models.logits_processor import LogitsProcessor
from constrain.models.mask_application import apply_bitmask_

__all__ = [
    "LogitsProcessor",
    "Model",
    "Report",
    "Result",
    "apply_bitmask_",
    "generate",
    "generate_batch",
    "load",
    "set_seed",
]
