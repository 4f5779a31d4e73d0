"""The segmentation store: one folder of masks and curves that Python writes and R reads."""
