"""Every subject of the benchmark can be loaded, so that a change of the product does not break it unseen."""

from __future__ import annotations

import importlib

import pytest

from benchmarks.__main__ import SUBJECTS


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_subject_can_be_measured(subject):
    assert callable(importlib.import_module(f"benchmarks.{subject}").figures)
