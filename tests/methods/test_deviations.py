"""Pairs of calls: the form of the paper and the form of the released script."""

import importlib

import pytest

from analysis.methods import METHODS
from analysis.methods.deviations import DEVIATIONS, pairs


def test_every_method_with_a_released_variant_has_its_deviation():
    modules = {name: importlib.import_module(f"analysis.methods.{method.module}") for name, method in METHODS.items()}
    with_variant = {name for name, module in modules.items() if "released" in getattr(module, "VARIANTS", {})}
    assert with_variant == {one.method for one in DEVIATIONS if one.script == {"variant": "released"}}
    assert {one.method for one in DEVIATIONS} == with_variant | {"zip_compression", "rds_plus"}


def test_both_forms_keep_the_other_options():
    (pair,) = pairs(["ifd(pre_experience=True)"])
    assert pair.original == "ifd(pre_experience=True)"
    assert pair.released == "ifd(pre_experience=True, variant='released')"
    assert pairs(["ifd(variant='released')"]) == pairs(["ifd"])
    assert [(one.original, one.released) for one in pairs(["zip_compression", "rds_plus"])] == [
        ("zip_compression(variant='text')", "zip_compression"), ("rds_plus(taken='next')", "rds_plus"),
    ]  # fmt: skip


def test_none_given_stands_for_all_and_names_tell_them_apart():
    found = pairs([])
    assert len(found) == len(DEVIATIONS) == len({pair.name for pair in found})
    assert all(pair.original != pair.released for pair in found)


def test_a_method_without_a_deviation_is_refused():
    with pytest.raises(ValueError, match="no deviation of a released script is known of 'kmeans'; expected cross_entr"):
        pairs(["kmeans"])
