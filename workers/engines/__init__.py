"""Loads the engine chosen by ENGINE, and imports only that one, so that echo needs no torch."""

import logging
import time
from typing import TYPE_CHECKING

from shared.errors import ConfigError
from shared.modes import EngineName
from workers.engines.base import Engine
from workers.engines.cascade.checks import check_parts, described
from workers.engines.echo import EchoEngine
from workers.engines.packages import check_packages

if TYPE_CHECKING:
    from shared.settings import Settings

log = logging.getLogger(__name__)


def load_engine(settings: "Settings") -> Engine:
    """The warmed-up engine chosen by ENGINE. Raises ConfigError if its weights do not fit."""
    begun = time.monotonic()
    check_packages(settings.engine)
    if settings.engine is EngineName.CASCADE:
        check_parts(settings)
        log.info("loading cascade: %s", described(settings))
    else:
        log.info("loading %s", settings.engine)
    engine = _loaded(settings)
    log.info("%s is ready after %.1f s", settings.engine, time.monotonic() - begun)
    return engine


def _loaded(settings: "Settings") -> Engine:
    if settings.engine is EngineName.MOSHI:
        from workers.engines.moshi.load import load_moshi

        return load_moshi(settings)
    if not settings.worker_slots:
        raise ConfigError(
            f"Expected WORKER_SLOTS of at least 1 with ENGINE={settings.engine}, got 0: only "
            "ENGINE=moshi counts its seats itself"
        )
    if settings.engine is EngineName.ECHO:
        return EchoEngine(settings.worker_slots)
    if settings.engine is EngineName.CASCADE:
        from workers.engines.cascade.load import load_cascade

        return load_cascade(settings)
    import torch

    from workers.engines.device import chosen_device
    from workers.engines.hybrid.engine import HybridEngine

    torch.set_num_threads(settings.torch_threads)
    device, dtype = chosen_device(settings.device), settings.dtype
    if dtype == "auto":
        # On a CPU bfloat16 is slower than float32 for one caller (12.7 against 8.1 ms a step) and
        # faster for many. So only the voice, which makes no decisions, uses it, for many callers.
        dtype = "bfloat16" if device.startswith("cuda") else "float32"
    return HybridEngine.load(
        settings.model,
        settings.worker_slots,
        device,
        dtype,
        vocoder=settings.vocoder,
        cache=settings.model_cache_dir,
        exact=settings.dtype == "float32",
    )
