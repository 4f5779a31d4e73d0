from __future__ import annotations

import pickle

import numpy as np
import pytest

from medseg.store import lazy as lazy_module
from medseg.store import open_segmentation

KEYS = [
    (0, 3),
    (slice(None), slice(1, 6)),
    (1, slice(None, None, -2)),
    (slice(None), [6, 0, 3], slice(1, 4)),
    (0, [2, 2, 5], slice(None), [4, 0]),
    (-1, -1, -1, -1),
    (slice(0, 0), slice(None)),
    (slice(None), slice(None), 2, slice(None, None, 2)),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_lazy_indexing_equals_indexing_in_memory(conformance, key):
    path = conformance("valid/two_objects")
    whole = open_segmentation(path).mask.load()
    part = open_segmentation(path).mask[key]
    assert part.shape == whole[key].shape
    np.testing.assert_array_equal(part.values, whole[key].values)


@pytest.mark.parametrize("key", [3, slice(2, 5), [6, 1], (slice(None), 5, slice(1, 3))], ids=str)
def test_images_too(conformance, key):
    path = conformance("valid/calibrated")
    whole = open_segmentation(path).image.load()
    # frame t, row y, column x holds its position in C order
    assert whole.values.ravel().tolist() == list(range(7 * 6 * 5))
    np.testing.assert_array_equal(open_segmentation(path).image[key].values, whole[key].values)


def test_reading_frame_by_frame_decodes_each_chunk_once(conformance, monkeypatch):
    reads = []
    read_chunk = lazy_module.read_chunk

    def counting(folder, listing, path, chunks):
        reads.append(path)
        return read_chunk(folder, listing, path, chunks)

    monkeypatch.setattr(lazy_module, "read_chunk", counting)
    ds = open_segmentation(conformance("valid/calibrated"))
    assert reads == []
    for frame in range(7):
        ds.mask[0, frame].load()
    assert reads == ["mask/0.0.0.0", "mask/0.1.0.0", "mask/0.2.0.0"]


def test_a_lazy_data_set_travels_to_another_process(conformance):
    ds = open_segmentation(conformance("valid/calibrated"))
    assert pickle.loads(pickle.dumps(ds)).load().identical(ds.load())
