import threading
import urllib.error
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from torch import nn

from video.models.hub import hub_model_builder


class _Quiet(SimpleHTTPRequestHandler):
    requests = 0

    def log_message(self, format, *args):
        type(self).requests += 1


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a folder on the loopback device, and keep downloads in another folder."""
    files, cache = tmp_path / "files", tmp_path / "cache"
    files.mkdir()
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(cache))
    _Quiet.requests = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(files))) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}", files, cache
        httpd.shutdown()


CONFIG = {"in_features": 3, "out_features": 2}


def test_weights_are_downloaded_once(server):
    address, files, cache = server
    source = nn.Linear(3, 2)
    torch.save({"model_state": source.state_dict(), "epoch": 3}, files / "LINEAR.pyth")
    for _ in range(2):
        model = hub_model_builder(nn.Linear, True, False, f"{address}/LINEAR.pyth", CONFIG)
        assert torch.equal(model.weight, source.weight)
    assert _Quiet.requests == 1
    assert [path.name for path in (cache / "checkpoints").iterdir()] == ["LINEAR.pyth"]


def test_what_can_go_wrong(server):
    address, files, cache = server
    with pytest.raises(urllib.error.HTTPError):
        hub_model_builder(nn.Linear, True, False, f"{address}/MISSING.pyth", CONFIG)
    assert not list((cache / "checkpoints").iterdir()), "a failed download leaves nothing"
    torch.save({"weights": {}}, files / "OTHER.pyth")
    with pytest.raises(ValueError, match="expected a checkpoint with the entry 'model_state'"):
        hub_model_builder(nn.Linear, True, False, f"{address}/OTHER.pyth", CONFIG)
    torch.save({"model_state": nn.Linear(3, 2).state_dict()}, files / "LINEAR.pyth")
    with pytest.raises(RuntimeError, match="size mismatch"):
        hub_model_builder(nn.Linear, True, False, f"{address}/LINEAR.pyth", CONFIG, out_features=4)
    with pytest.raises(ValueError, match="no published weights"):
        hub_model_builder(nn.Linear, True, False, "", CONFIG)


def test_overrides_win_over_defaults():
    assert hub_model_builder(nn.Linear, default_config=CONFIG, out_features=7).out_features == 7
