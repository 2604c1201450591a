"""The device that DEVICE names."""

import pytest

from shared.errors import ConfigError
from shared.settings import load_settings
from workers.engines import load_engine

torch = pytest.importorskip("torch")

from workers.engines.device import chosen_device  # noqa: E402


@pytest.fixture
def gpus(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with so many GPUs."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: request.param > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: request.param)


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("gpus", "setting", "device"),
    [(0, "auto", "cpu"), (0, "cpu", "cpu"), (2, "auto", "cuda"), (2, "cuda:1", "cuda:1")],
    indirect=["gpus"],
)
def test_a_device_that_there_is(setting: str, device: str) -> None:
    assert chosen_device(setting) == device


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("gpus", "setting"), [(0, "cuda"), (0, "cuda:0"), (2, "cuda:2")], indirect=["gpus"]
)
def test_a_gpu_that_is_not_there_is_one_sentence(setting: str) -> None:
    with pytest.raises(ConfigError, match=f"Expected a GPU for DEVICE={setting}, got"):
        chosen_device(setting)


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize("gpus", [0], indirect=True)
@pytest.mark.parametrize("engine", ["cascade", "hybrid"])
def test_every_engine_says_so_before_it_loads(engine: str) -> None:
    with pytest.raises(ConfigError, match="Expected a GPU for DEVICE=cuda, got 0"):
        load_engine(load_settings({"ENGINE": engine, "DEVICE": "cuda", "MODEL": "/nowhere"}))
