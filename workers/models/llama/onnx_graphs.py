"""Builds the ONNX graphs of a decoder: everything between one layer's attention and the next.

Segment i takes the sum x (N, D) so far and layer i - 1's attention (N, H * E). It returns the new
sum and layer i's queries, keys and values. The last segment returns the normed sum for the head.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor

from workers.models.llama.config import LlamaConfig
from workers.models.llama.making import WeightMaker
from workers.models.llama.tensors import Tensors, layer_name

GROUP: Final = 32  # numbers of a matrix's row that share a scale; llama.cpp's files have the same
_CONTRIBUTED: Final = "com.microsoft"  # onnxruntime's own operators
_OPSET: Final = 21
_IR_VERSION: Final = 10
_INT8_INPUTS: Final = 4  # MatMulNBits' accuracy_level: it rounds inputs to 8 bits, in groups too

Array = NDArray[Any]


@dataclass(slots=True)
class Graph:
    """A graph under construction. Each method adds operators and returns their result's name."""

    bits: int  # of the matrices' weights
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator with one result."""
        return self.several(operator, *inputs, results=1, **attributes)[0]

    def several(self, operator: str, *inputs: str, results: int, **attributes: Any) -> list[str]:
        """Add an operator with several results."""
        outputs = [f"result_{len(self.nodes)}_{number}" for number in range(results)]
        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs

    def constant(self, values: Array) -> str:
        """Add constant numbers."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def split(self, x: str, sizes: Sequence[int], axis: int) -> list[str]:
        """Split an axis into parts of these sizes."""
        counts = self.constant(np.array(sizes, np.int64))
        return self.several("Split", x, counts, results=len(sizes), axis=axis)

    def product(self, x: str, weight: Tensor, bias: Tensor | None = None) -> str:
        """Multiply x (N, in) by a rounded matrix (out, in), and add a bias (out,)."""
        found = self.add(
            "MatMulNBits",
            x,
            *map(self.constant, rounded(weight.numpy(), self.bits)),
            domain=_CONTRIBUTED,
            K=weight.shape[1],
            N=weight.shape[0],
            bits=self.bits,
            block_size=GROUP,
            accuracy_level=_INT8_INPUTS,
        )
        return found if bias is None else self.add("Add", found, self.constant(bias.numpy()))

    def normed(self, x: str, weight: Tensor, epsilon: float) -> str:
        """RMS norm over the last axis."""
        given = self.constant(weight.numpy())
        return self.add("SimplifiedLayerNormalization", x, given, axis=-1, epsilon=epsilon)

    def model(self, inputs: Mapping[str, Sequence[int]], outputs: Mapping[str, str]) -> bytes:
        """The model's bytes. `inputs`: shapes after the tokens' axis; `outputs`: their results."""
        named = [helper.make_node("Identity", [found], [name]) for name, found in outputs.items()]
        kind = onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            [*self.nodes, *named],
            "segment",
            [helper.make_tensor_value_info(name, kind, ["N", *s]) for name, s in inputs.items()],
            [helper.make_tensor_value_info(name, kind, None) for name in outputs],
            self.constants,
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIBUTED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        return bytes(model.SerializeToString())


def rounded(weight: Array, bits: int) -> tuple[Array, Array, Array]:
    """Round a matrix (out, in) to 8 or 4 bits, in MatMulNBits' layout.

    Returns levels uint8 (out, in / GROUP, bytes of a group), steps float32 and zero points uint8:
    weight = (level - zero) * step. 8 bits are symmetrical; 4 bits use each group's whole range.
    """
    groups = weight.reshape(len(weight), -1, GROUP)
    most = 2**bits - 1
    if bits == 8:
        steps = np.abs(groups).max(axis=-1) / (most // 2)
        zeros = np.full(steps.shape, 2 ** (bits - 1), np.uint8)
    else:
        lows, highs = groups.min(axis=-1).clip(max=0), groups.max(axis=-1).clip(min=0)
        steps = (highs - lows) / most
        zeros = np.round(-lows / steps.clip(min=1e-12)).astype(np.uint8)
    steps = steps.clip(min=1e-12).astype(np.float32)
    levels = np.round(groups / steps[..., None]) + zeros[..., None]
    levels = levels.clip(0, most).astype(np.uint8)
    if bits == 4:
        levels = _in_pairs(levels)
        zeros = _in_pairs(np.pad(zeros, ((0, 0), (0, zeros.shape[1] % 2))))
    return levels, steps.reshape(-1), zeros.reshape(-1)


def _in_pairs(levels: Array) -> Array:
    """Two numbers of 4 bits a byte, the first in the low half."""
    found: Array = levels[..., ::2] | levels[..., 1::2] << 4
    return found


class Segments:
    """Makes the graphs of one model."""

    def __init__(self, config: LlamaConfig, tensors: Tensors, bits: int) -> None:
        self._config, self._bits = config, bits
        self._making = WeightMaker(tensors)

    def segment(self, number: int) -> bytes:
        """The graph between the attentions of layers `number` - 1 and `number`."""
        config, graph = self._config, Graph(self._bits)
        inputs = {"x": [config.width]}
        x = "x"
        if number > 0:
            inputs["attended"] = [config.heads * config.head_size]
            x = self._after_attention(graph, number - 1)
        if number == config.layers:
            last = graph.normed(x, self._making.norm("model.norm.weight"), config.norm_epsilon)
            return graph.model(inputs, {"last": last})
        if number not in config.unrotated:
            inputs |= {"cosines": [1, config.head_size], "sines": [1, config.head_size]}
        q, k, v = self._before_attention(graph, number, x)
        return graph.model(inputs, {"sum": x, "q": q, "k": k, "v": v})

    def head(self) -> bytes:
        """The graph of the output head, always of 8 bits."""
        graph = Graph(8)
        logits = graph.product("last", self._making.head())
        return graph.model({"last": [self._config.width]}, {"logits": logits})

    def _after_attention(self, graph: Graph, layer: int) -> str:
        config, joined = self._config, self._making.joined
        attended = graph.product("attended", *joined(layer, "self_attn.o_proj"))
        x = graph.add("Add", "x", attended)
        norm = self._making.norm(layer_name(layer, "post_attention_layernorm"))
        h = graph.normed(x, norm, config.norm_epsilon)
        both = graph.product(h, *joined(layer, "mlp.gate_proj", "mlp.up_proj"))
        gate, up = graph.split(both, [config.hidden, config.hidden], axis=1)
        silu = graph.add("Mul", gate, graph.add("Sigmoid", gate))
        down = graph.product(graph.add("Mul", silu, up), *joined(layer, "mlp.down_proj"))
        return graph.add("Add", x, down)

    def _before_attention(self, graph: Graph, layer: int, x: str) -> tuple[str, str, str]:
        config, joined = self._config, self._making.joined
        norm = self._making.norm(layer_name(layer, "input_layernorm"))
        h = graph.normed(x, norm, config.norm_epsilon)
        h = graph.product(h, *joined(layer, *(f"self_attn.{one}_proj" for one in "qkv")))
        shape = graph.constant(np.array([0, -1, config.head_size], np.int64))  # 0: as it is
        counts = [config.heads, config.kv_heads, config.kv_heads]
        q, k, v = graph.split(graph.add("Reshape", h, shape), counts, axis=1)
        return self._turned(graph, layer, "q", q), self._turned(graph, layer, "k", k), v

    def _turned(self, graph: Graph, layer: int, name: str, x: str) -> str:
        """Heads (N, H, E) of q or k after their norm and rotation, as in `rotary.rotate`."""
        config = self._config
        norm = self._making.head_norm(layer, name)
        if norm is not None:
            x = graph.normed(x, norm, config.norm_epsilon)
        if layer in config.unrotated:
            return x
        half = config.head_size // 2
        other = graph.add("Concat", *reversed(graph.split(x, [half, half], axis=2)), axis=2)
        return graph.add("Add", graph.add("Mul", x, "cosines"), graph.add("Mul", other, "sines"))
