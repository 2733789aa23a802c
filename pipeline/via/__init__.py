"""The formats of the VGG Image Annotator (VIA 2 and 3), and nothing else."""
