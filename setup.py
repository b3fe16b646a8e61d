"""How the package installs: a light base, and extras for what a machine is to do."""

import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent

BASE = ["numpy", "opencv-python", "pillow>=12", "pydantic>=2", "pyyaml", "shapely>=2", "tqdm"]
RUNTIME = ["openvino>=2026.4"]
TRAIN = [
    *RUNTIME,
    "matplotlib",
    "nncf>=3.4",
    "onedl-mmcv==2.3.6",
    "onedl-mmdetection==3.5.1",
    "onedl-mmengine==0.10.12",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "scipy",
    "tensorboard",
    "torch==2.13.0",
]
VISION = ["torchvision==0.28.0"]
MANY = [*RUNTIME, "fsspec", "pyarrow>=26", "ray[data]>=2.60,<2.64"]
DEV = ["hypothesis", "mypy", "pytest", "pytest-xdist", "ruff", "types-PyYAML", "types-tqdm"]

SHARED = ["configs", "data", "model_templates", "tools"]
"""What an installed package carries inside, under ``share``; see ``text_spotting/workdir/catalogue.py``."""


class BuildWithShare(build_py):
    """Also puts templates and what they refer to into the package, as they lie beside each other here."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for name in SHARED:
            target = Path(self.build_lib, "text_spotting", "share", name)
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))


setup(
    name="text-spotting",
    version="0.1.0",
    description="Find and read words in photos: a template-driven training toolkit with OpenVINO export",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["text_spotting", "text_spotting.*"]),
    include_package_data=True,
    entry_points={"console_scripts": ["text-spotting = text_spotting.cli.console:main"]},
    package_data={"text_spotting": ["py.typed"]},
    cmdclass={"build_py": BuildWithShare},
    install_requires=BASE,
    extras_require={"runtime": RUNTIME, "train": TRAIN, "vision": VISION, "many": MANY, "dev": DEV},
)
