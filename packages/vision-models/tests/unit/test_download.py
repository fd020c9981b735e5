"""The downloader against a server on this machine that misbehaves on demand."""

import hashlib
import multiprocessing
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from vision_models.hub import DownloadError, HashMismatchError, OfflineError, cache_dir, fetch

CONTENT = bytes(range(256)) * 4096  # 1 MiB
DIGEST = hashlib.sha256(CONTENT).hexdigest()
HALF = len(CONTENT) // 2


class Server(ThreadingHTTPServer):
    """Serves ``CONTENT`` under every path; the path's first folder says what goes wrong."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str | None]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def ranges(self):
        return [ranged for _, ranged in self.requests]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        how = self.path.split("/")[1]
        ranged = self.headers.get("Range")
        first = not self.server.requests
        self.server.requests.append((self.path, ranged))
        if how == "missing":
            return self.send_error(404)
        if how == "flaky" and first:
            return self.send_error(503)
        content = CONTENT[::-1] if how == "other" else CONTENT
        start = int(ranged.removeprefix("bytes=").removesuffix("-")) if ranged and how != "norange" else 0
        if start >= len(content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if how != "nolength":
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        cut = how == "always_cut" or (how == "cut" and first)
        self.wfile.write(content[start : start + (len(content) - start) // 2] if cut else content[start:])
        return None

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in ("VISION_MODELS_OFFLINE", "VISION_MODELS_MIRRORS", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_whole(server, tmp_path):
    seen = []
    path = fetch(
        f"{server.url}/ok/a.pth", directory=tmp_path / "new", sha256=DIGEST[:8], progress=lambda *p: seen.append(p)
    )
    assert path == tmp_path / "new" / "a.pth"
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["a.pth"]  # neither a part nor a lock stays
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)


def test_cached_file_is_not_fetched_again(server, tmp_path):
    for _ in range(2):
        fetch(f"{server.url}/ok/a.pth", directory=tmp_path, sha256=DIGEST)
    assert len(server.requests) == 1


def test_damaged_cached_file_is_refused(server, tmp_path):
    (tmp_path / "a.pth").write_bytes(b"damaged")
    with pytest.raises(HashMismatchError, match=r"a\.pth.*delete the file"):
        fetch(f"{server.url}/ok/a.pth", directory=tmp_path, sha256=DIGEST)
    assert not server.requests


def test_resumes_what_an_earlier_process_left(server, tmp_path):
    (tmp_path / "a.pth.part").write_bytes(CONTENT[:HALF])
    seen = []
    path = fetch(f"{server.url}/ok/a.pth", directory=tmp_path, sha256=DIGEST, progress=lambda *p: seen.append(p))
    assert path.read_bytes() == CONTENT
    assert server.ranges == [f"bytes={HALF}-"]
    assert seen[0] == (HALF, len(CONTENT))


def test_resume_from_a_server_without_ranges_starts_again(server, tmp_path):
    (tmp_path / "a.pth.part").write_bytes(CONTENT[:HALF])
    assert fetch(f"{server.url}/norange/a.pth", directory=tmp_path, sha256=DIGEST).read_bytes() == CONTENT


def test_truncated_transfer_is_resumed(server, tmp_path):
    assert fetch(f"{server.url}/cut/a.pth", directory=tmp_path, sha256=DIGEST).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-"]


def test_truncated_transfer_without_hash_starts_again(server, tmp_path):
    assert fetch(f"{server.url}/cut/a.pth", directory=tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, None]


def test_always_truncated_keeps_the_part(server, tmp_path):
    with pytest.raises(DownloadError, match="the connection ended after"):
        fetch(f"{server.url}/always_cut/a.pth", directory=tmp_path, sha256=DIGEST, attempts=2)
    assert names(tmp_path) == ["a.pth.part"]
    assert (tmp_path / "a.pth.part").read_bytes() == CONTENT[: HALF + HALF // 2]


def test_wrong_hash(server, tmp_path):
    with pytest.raises(HashMismatchError, match=f"begins with {DIGEST[:8]}"):
        fetch(f"{server.url}/other/a.pth", directory=tmp_path, sha256=DIGEST[:8])
    assert names(tmp_path) == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("left", [CONTENT[::-1][:HALF], CONTENT[::-1], CONTENT + b"more"])
def test_part_of_another_file_is_thrown_away(server, tmp_path, left):
    (tmp_path / "a.pth.part").write_bytes(left)
    assert fetch(f"{server.url}/ok/a.pth", directory=tmp_path, sha256=DIGEST).read_bytes() == CONTENT


def test_missing_is_not_tried_again(server, tmp_path):
    with pytest.raises(DownloadError, match="404") as caught:
        fetch(f"{server.url}/missing/a.pth", directory=tmp_path, sha256=DIGEST)
    assert str(tmp_path / "a.pth") in str(caught.value)
    assert len(server.requests) == 1


def test_busy_server_is_tried_again(server, tmp_path):
    assert fetch(f"{server.url}/flaky/a.pth", directory=tmp_path, sha256=DIGEST).read_bytes() == CONTENT


def test_unknown_length(server, tmp_path):
    seen = []
    fetch(f"{server.url}/nolength/a.pth", directory=tmp_path, sha256=DIGEST, progress=lambda *p: seen.append(p))
    assert seen[-1] == (len(CONTENT), None)


def test_refused_connection(tmp_path):
    with pytest.raises(DownloadError, match="refused"):
        fetch("http://127.0.0.1:9/a.pth", directory=tmp_path, sha256=DIGEST, attempts=1)


@pytest.mark.parametrize("bad", ["missing", "other", "always_cut"])
def test_mirrors_come_first_and_failing_ones_are_passed_over(server, tmp_path, bad):
    mirrors = [f"{server.url}/{bad}/", f"{server.url}/ok"]
    path = fetch(f"{server.url}/missing/x/a.pth", directory=tmp_path, sha256=DIGEST, mirrors=mirrors)
    assert path.read_bytes() == CONTENT
    asked = [path for path, _ in server.requests]
    assert asked[0] == f"/{bad}/a.pth"
    assert asked[-1] == "/ok/a.pth"


def test_mirrors_from_the_environment_may_be_folders(server, tmp_path, monkeypatch):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "a.pth").write_bytes(CONTENT)
    monkeypatch.setenv("VISION_MODELS_MIRRORS", f"{tmp_path / 'empty'} {tmp_path / 'mirror'}")
    assert fetch(f"{server.url}/missing/a.pth", directory=tmp_path / "cache", sha256=DIGEST).read_bytes() == CONTENT
    assert not server.requests


def test_offline(server, tmp_path, monkeypatch):
    monkeypatch.setenv("VISION_MODELS_OFFLINE", "1")
    with pytest.raises(OfflineError) as caught:
        fetch(f"{server.url}/ok/a.pth", directory=tmp_path, sha256=DIGEST)
    assert str(tmp_path / "a.pth") in str(caught.value)
    assert f"{server.url}/ok/a.pth" in str(caught.value)
    (tmp_path / "a.pth").write_bytes(CONTENT)
    assert fetch(f"{server.url}/ok/a.pth", directory=tmp_path, sha256=DIGEST) == tmp_path / "a.pth"
    assert not server.requests


def test_cache_is_torch_hubs(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    assert cache_dir() == tmp_path / "hub" / "checkpoints"


def test_url_without_a_name_is_refused(tmp_path):
    with pytest.raises(ValueError, match="plain file name"):
        fetch("http://127.0.0.1:9/", directory=tmp_path)
    with pytest.raises(ValueError, match="plain file name"):
        fetch("http://127.0.0.1:9/a.pth", file_name="../a.pth", directory=tmp_path)


def _fetch_in_process(url, folder):
    path = fetch(url, directory=folder, sha256=DIGEST, progress=False)
    assert path.read_bytes() == CONTENT


def test_concurrent_processes_fetch_once(server, tmp_path):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_fetch_in_process, args=(f"{server.url}/ok/a.pth", tmp_path)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert len(server.requests) == 1
    assert names(tmp_path) == ["a.pth"]
