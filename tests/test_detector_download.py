"""``vggss download detector``: from a server on this machine, from a local copy, and without a network."""

from __future__ import annotations

import gzip
import hashlib
import io
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vggss.cli.detector import download_detector
from vggss.errors import DataError, NetworkError, UsageError, VggssError
from vggss.pipeline.detector import default_weights, published
from vggss.storage import DataRoot


@dataclass
class Shelf:
    """A folder that a web server on this machine offers, and a data folder."""

    folder: Path
    address: str
    root: DataRoot

    def offer(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return f"{self.address}/{name}"

    def run(self, *arguments: str) -> Result:
        """Run the command; its errors are raised, as the program's entry point wants them."""
        result = CliRunner().invoke(download_detector, [*arguments, "--root", str(self.root.path)])
        if isinstance(result.exception, VggssError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path / "offered"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    yield Shelf(folder, address, DataRoot(tmp_path / "root", "a test"))
    server.shutdown()
    thread.join()
    server.server_close()


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


# Faster R-CNN


def checkpoint(rows: int = 602, mark: float = 0.0) -> bytes:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: vggss[autobox]")
    pytest.importorskip("torchvision", reason="torchvision is not installed: vggss[autobox]")
    out = io.BytesIO()
    torch.save({"state_dict": {"roi_head.bbox_head.fc_cls.weight": torch.full((rows, 2), mark)}}, out)
    return out.getvalue()


def publish(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, content: bytes, which: str = "FRCNN", offered: bool = True
) -> str:
    """Put a checkpoint in the place of the published one; returns its name."""
    monkeypatch.setattr(published, "_OPENMMLAB", shelf.address)
    name = f"{which.lower()}-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    monkeypatch.setattr(published, which, published._checkpoint("zoo", name))
    if offered:
        shelf.offer(f"zoo/{name}", content)
    return name


def test_the_addresses_are_those_of_the_model_zoo() -> None:
    zoo = "https://download.openmmlab.com/mmdetection/v2.0/openimages/"
    plain, aware = published.FRCNN.urls[0], published.FRCNN_CLASS_AWARE.urls[0]
    assert plain == (
        f"{zoo}faster_rcnn_r50_fpn_32x2_1x_openimages/"
        f"faster_rcnn_r50_fpn_32x2_1x_openimages_20211130_231159-e87ab7ce.pth"
    )
    assert aware == (
        f"{zoo}faster_rcnn_r50_fpn_32x2_cas_1x_openimages/"
        f"faster_rcnn_r50_fpn_32x2_cas_1x_openimages_20220306_202424-98c630e5.pth"
    )


def test_the_detector_is_fetched_once_and_then_found(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    content = checkpoint()
    name = publish(shelf, monkeypatch, content)
    assert default_weights("frcnn", shelf.root) is None
    assert f"{name}: {shelf.address}/zoo/{name}" in shelf.run().output
    assert (shelf.root.models / name).read_bytes() == content
    assert default_weights("frcnn", shelf.root) == shelf.root.models / name
    assert f"{name}: already there" in shelf.run().output


def test_the_class_aware_one_is_second_choice(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    aware = publish(shelf, monkeypatch, checkpoint(mark=1.0), "FRCNN_CLASS_AWARE")
    plain = publish(shelf, monkeypatch, checkpoint())
    shelf.run("--class-aware")
    assert default_weights("frcnn", shelf.root) == shelf.root.models / aware
    shelf.run()
    assert default_weights("frcnn", shelf.root) == shelf.root.models / plain


def test_a_damaged_file_is_not_written(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    name = publish(shelf, monkeypatch, checkpoint())
    shelf.offer(f"zoo/{name}", checkpoint()[:-1])
    with pytest.raises(DataError, match=r"its SHA-256 begins with .* was needed; nothing was written"):
        shelf.run()
    assert not shelf.root.models.exists()


def test_a_file_of_the_challenge_is_not_written(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(shelf, monkeypatch, checkpoint(501))
    with pytest.raises(DataError, match=r"501 classes apart.*nothing was written"):
        shelf.run()
    assert not shelf.root.models.exists()


def test_without_a_network_the_address_and_a_way_round_are_told(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "address", closed_port())
    name = publish(shelf, monkeypatch, checkpoint(), offered=False)
    with pytest.raises(NetworkError) as caught:
        shelf.run()
    message = str(caught.value)
    assert f"fetch {shelf.address}/zoo/{name} by other means" in message and "\n" not in message
    assert "`vggss download detector --from FILE`" in message


def test_a_local_copy_is_taken_whatever_its_name(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = publish(shelf, monkeypatch, checkpoint(), offered=False)
    aware = publish(shelf, monkeypatch, checkpoint(mark=1.0), "FRCNN_CLASS_AWARE", offered=False)
    for name, mark in ((aware, 1.0), (plain, 0.0)):
        (tmp_path / "download (1)").write_bytes(checkpoint(mark=mark))
        assert f"{name}: " in shelf.run("--from", str(tmp_path / "download (1)")).output
        assert (shelf.root.models / name).read_bytes() == checkpoint(mark=mark)


def test_another_local_file_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(checkpoint())
    with pytest.raises(DataError, match=r"x\.pth is neither faster_rcnn.*nothing was written"):
        shelf.run("--from", str(tmp_path / "x.pth"))
    with pytest.raises(DataError, match=r"cannot read .*gone\.pth"):
        shelf.run("--from", str(tmp_path / "gone.pth"))
    assert not shelf.root.models.exists()


def test_options_that_contradict_each_other_are_refused(shelf: Shelf) -> None:
    with pytest.raises(UsageError, match="--light and --class-aware are two detectors"):
        shelf.run("--light", "--class-aware")
    with pytest.raises(UsageError, match="the file itself says which one it is"):
        shelf.run("--class-aware", "--from", "x")


def test_without_pytorch_it_is_said_what_to_install(shelf: Shelf) -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from vggss.errors import UsageError\n"
        "from pathlib import Path\n"
        "from vggss.pipeline.detector import DetectorSpec, open_detector\n"
        "try: open_detector(DetectorSpec('frcnn', Path('.')))\n"
        "except UsageError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "torch is not installed; pip install 'vggss[autobox]'"


# The light detector


def package(test_data: Path, model: bytes | None = None) -> bytes:
    """Pack the light detector as the npm package does."""
    real = (test_data / "models" / "ssd_oidv4.tflite").read_bytes() if model is None else model
    labels = (test_data / "models" / "ssd_oidv4_labelmap.txt").read_bytes()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as archive:
        member = tarfile.TarInfo("package/objectron_solution_packed_assets.data")
        member.size = len(labels) + len(real)
        archive.addfile(member, io.BytesIO(labels + real))
    return out.getvalue()


def publish_light(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    url = shelf.offer("objectron.tgz", content)
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(published, "OBJECTRON", replace(published.OBJECTRON, urls=(url,), sha256=digest))


def test_the_light_detector_is_taken_out_of_its_package(
    shelf: Shelf, test_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_light(shelf, monkeypatch, package(test_data))
    assert "ssd_oidv4.tflite: http://127" in shelf.run("--light").output
    found = default_weights("ssd", shelf.root)
    assert found is not None
    assert found.read_bytes() == (test_data / "models" / "ssd_oidv4.tflite").read_bytes()
    assert [p.name for p in shelf.root.path.rglob("*") if p.is_file()] == ["ssd_oidv4.tflite"]
    (shelf.folder / "objectron.tgz").unlink()
    assert "already there" in shelf.run("--light").output


@pytest.mark.parametrize("packed", [True, False])
def test_a_local_copy_of_the_light_detector_is_taken(
    shelf: Shelf, test_data: Path, tmp_path: Path, packed: bool
) -> None:
    real = (test_data / "models" / "ssd_oidv4.tflite").read_bytes()
    (tmp_path / "copy").write_bytes(package(test_data) if packed else real)
    shelf.run("--light", "--from", str(tmp_path / "copy"))
    assert (shelf.root.models / "ssd_oidv4.tflite").read_bytes() == real


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no package",
        gzip.compress(b"no tar", mtime=0),
        gzip.compress(bytes(10240), mtime=0),
        gzip.compress(b"x" * 999, mtime=0)[:-9],
    ],
)
def test_another_file_is_no_light_detector(shelf: Shelf, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(DataError, match=r"copy is neither ssd_oidv4\.tflite nor objectron.*nothing was"):
        shelf.run("--light", "--from", str(tmp_path / "copy"))
    assert not shelf.root.models.exists()


def test_a_package_with_another_model_is_refused(shelf: Shelf, test_data: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(package(test_data, bytes(9_987_728)))
    with pytest.raises(DataError, match="copy holds another model than objectron"):
        shelf.run("--light", "--from", str(tmp_path / "copy"))


def test_a_member_that_is_a_folder_or_a_link_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE):
        with tarfile.open(tmp_path / "copy", "w:gz") as archive:
            member = tarfile.TarInfo("package/objectron_solution_packed_assets.data")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        with pytest.raises(DataError, match=r"copy (holds another model|is neither)"):
            shelf.run("--light", "--from", str(tmp_path / "copy"))


def test_there_is_nothing_to_download_for_a_coco_file(shelf: Shelf) -> None:
    assert default_weights("coco", shelf.root) is None
