"""Perturbed clips on workers: what one process writes."""

import numpy as np

from gensr.features.store import open_store
from gensr.pipeline.extraction.extract import extract
from support import stub


def test_workers_hear_the_same_noise(corpus, tmp_path, settings):
    worse = {"perturb": "noise:10dB,phone", "verify": 3}
    extract(corpus, tmp_path / "alone.zarr", settings(**worse), encoder=stub.StubEncoder())
    report = extract(
        corpus, tmp_path / "s.zarr", settings(**worse, workers=2), encoder=stub.StubEncoder()
    )
    assert report.verification.clips == 3
    with open_store(tmp_path / "s.zarr") as one, open_store(tmp_path / "alone.zarr") as other:
        assert one.fingerprint() == other.fingerprint()
        assert one.header.preprocessing["perturb"] == "noise:10dB,phone"
        np.testing.assert_array_equal(one.vectors(), other.vectors())
