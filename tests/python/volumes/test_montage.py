from __future__ import annotations

import io

import numpy as np
from PIL import Image

from medseg.volumes.montage import montage_png


def test_no_two_of_eight_labels_look_alike():
    grey = np.full((1, 80, 320), 60, np.uint8)
    labels = np.zeros(grey.shape, np.uint16)
    for i, label in enumerate((1, 2, 3, 5, 9, 11, 13, 21)):  # 5 and 13 are eight apart
        labels[0, 30:50, 40 * i : 40 * i + 30] = label
    content = montage_png(grey, labels, aspect=1.0, key_slice=0, model="any")
    shown = np.asarray(Image.open(io.BytesIO(content)))
    assert len({tuple(shown[40, 40 * i + 15]) for i in range(8)}) == 8
