"""Compile every `*_cy.py` (Cython, pure-Python mode), unless CONSTRAIN_PURE_PYTHON=1 opts out.

A missing compiler fails the installation: an uncompiled engine is hundreds of times slower, so
it is built on request only.
"""

import os
from pathlib import Path

from setuptools import Extension, setup


def compiled_modules() -> list[Extension]:
    """Return one extension for every `*_cy.py` of the package."""
    paths = sorted(Path("constrain").rglob("*_cy.py"))
    return [
        Extension(
            ".".join(path.with_suffix("").parts),
            [path.as_posix()],
            # Cython 3.3.0 takes results that are not used for objects: refused here, a crash otherwise.
            extra_compile_args=["-O3", "-g0", "-Werror=int-to-pointer-cast"],
        )
        for path in paths
    ]


if os.environ.get("CONSTRAIN_PURE_PYTHON") == "1":
    extensions = []
else:
    from Cython.Build import cythonize

    extensions = cythonize(
        compiled_modules(),
        build_dir="build/cython",
        compiler_directives={
            "language_level": 3,
            "boundscheck": False,
            "initializedcheck": False,
            "cdivision": True,
        },
    )

setup(ext_modules=extensions)
