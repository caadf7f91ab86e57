"""The repository says how to cite it, and says the same as the package."""

from __future__ import annotations

from pathlib import Path

import pipeline
from pipeline.yaml_text import read_yaml

ROOT = Path(__file__).resolve().parents[1]


def test_the_citation_file_names_the_version_and_licence_of_the_package() -> None:
    told = read_yaml(ROOT / "CITATION.cff")
    # what the Citation File Format 1.2.0 requires
    assert {"cff-version", "message", "title", "authors"} <= set(told)
    assert told["cff-version"] == "1.2.0"
    assert told["version"] == pipeline.__version__
    assert told["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT")
    assert "meta.build" in told["message"]
