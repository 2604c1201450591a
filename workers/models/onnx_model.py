"""Runs ONNX models on the CPU, and adds an output to a model as its bytes are read.

Two concatenated protobuf messages of one type parse as their merge. So a second `graph` with one
`output` adds that output to the first. This needs neither the onnx package nor a changed copy of
the model. Field numbers: onnx.proto, ModelProto.graph 7, GraphProto.output 12,
ValueInfoProto.name 1 and .type 2, TypeProto.tensor_type 1, Tensor.elem_type 1 (1: float).
"""

from importlib import import_module
from typing import Any


def session(model: bytes, threads: int) -> Any:
    """Open an onnxruntime session. Only engines that call this need that package."""
    runtime: Any = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 3  # errors
    return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def with_output(model: bytes, name: str) -> bytes:
    """The model's bytes with the float tensor of this name as an additional last output."""
    kind = _message(1, _varint(1 << 3) + _varint(1))
    value = _message(1, name.encode()) + _message(2, kind)
    return model + _message(7, _message(12, value))


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    groups = []
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])
