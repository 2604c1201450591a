"""Runs the layers of a model of the Llama family on a CPU, with weights of 8 or 4 bits.

onnxruntime multiplies by such weights fast on x86-64 and arm64. It computes everything between two
attentions, and torch computes the attention over the fixed slots. Both use the same memory.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from workers.models.llama.attention import AttentionPlan, KeyValueCache
from workers.models.llama.config import LlamaConfig
from workers.models.llama.onnx_graphs import Segments
from workers.models.llama.rotary import angles
from workers.models.llama.tensors import Tensors
from workers.models.onnx_model import session


class OnnxDecoder:
    """A `Decoder` with weights of 8 or 4 bits; its head's have 8."""

    def __init__(self, config: LlamaConfig, tensors: Tensors, bits: int, positions: int) -> None:
        self._cosines, self._sines = (table[:, None] for table in angles(config, positions))
        self._unrotated = config.unrotated
        self._embedding = tensors["model.embed_tokens.weight"].to(torch.bfloat16)
        making, threads = Segments(config, tensors, bits), torch.get_num_threads()
        self._segments: list[Any] = [
            session(making.segment(number), threads) for number in range(config.layers + 1)
        ]
        self._head: Any = session(making.head(), threads)

    def __call__(
        self, tokens: Tensor, plan: AttentionPlan, cache: KeyValueCache, wanted: Tensor
    ) -> Tensor:
        """See `Decoder`."""
        given = {"x": F.embedding(tokens, self._embedding).float().numpy()}
        turned = {
            "cosines": self._cosines[plan.positions].numpy(),
            "sines": self._sines[plan.positions].numpy(),
        }
        for number, segment in enumerate(self._segments[:-1]):
            if number not in self._unrotated:
                given |= turned
            x, q, k, v = segment.run(["sum", "q", "k", "v"], given)
            q, k, v = torch.from_numpy(q), torch.from_numpy(k), torch.from_numpy(v)
            attended = cache.attend(number, q, k, v, plan)
            given = {"x": x, "attended": attended.numpy()}
        (last,) = self._segments[-1].run(["last"], given)
        (logits,) = self._head.run(["logits"], {"last": last[wanted.numpy()]})
        return torch.from_numpy(logits)
