# SPDX-License-Identifier: LGPL-2.1-or-later
"""A ResNet up to layer 3 as an ONNX graph, from a state dict with torchvision's names."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BLOCKS = {"resnet18": (2, 2, 2), "wide_resnet50_2": (3, 4, 6)}
WIDENING = {"wide_resnet50_2": 2}  # a name in here has bottlenecks
OUTPUTS = ["layer1", "layer2", "layer3"]


def weight_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Of every convolution, in order; its batch norm is the name with "bn" for "conv"."""
    shapes = {"conv1": (64, 3, 7, 7)}
    inside = 64
    for stage, blocks in enumerate(BLOCKS[name]):
        width = 64 * 2**stage
        outside = width * 4 if name in WIDENING else width
        for block in range(blocks):
            prefix = f"layer{stage + 1}.{block}."
            if name in WIDENING:
                inner = width * WIDENING[name]
                shapes[prefix + "conv1"] = (inner, inside, 1, 1)
                shapes[prefix + "conv2"] = (inner, inner, 3, 3)
                shapes[prefix + "conv3"] = (outside, inner, 1, 1)
            else:
                shapes[prefix + "conv1"] = (outside, inside, 3, 3)
                shapes[prefix + "conv2"] = (outside, outside, 3, 3)
            if inside != outside:
                shapes[prefix + "downsample.0"] = (outside, inside, 1, 1)
            inside = outside
    return shapes


def norm_of(conv: str) -> str:
    return conv.replace("conv", "bn").replace("downsample.0", "downsample.1")


def random_state(name: str, seed: int = 3) -> dict[str, np.ndarray]:
    """Weights that keep the activations near one, for a network that no trained weights are at hand for."""
    random = np.random.default_rng(seed)
    state = {}
    for conv, shape in weight_shapes(name).items():
        fan_in = shape[1] * shape[2] * shape[3]
        state[conv + ".weight"] = random.normal(0, (1 / fan_in) ** 0.5, shape).astype(np.float32)
        for part, value in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            state[f"{norm_of(conv)}.{part}"] = np.full(shape[0], value, np.float32)
    return state


def make_onnx(name: str, state: dict[str, np.ndarray], batch: int, size: int) -> onnx.ModelProto:
    """Input "images" [batch, 3, size, size], outputs as in OUTPUTS; batch norm as it is, for the runtime to fold."""
    nodes, initializers = [], []

    def store(key: str) -> str:
        initializers.append(numpy_helper.from_array(state[key], key))
        return key

    def conv(x: str, key: str, stride: int = 1) -> str:
        kernel = state[key + ".weight"].shape[2]
        nodes.append(helper.make_node("Conv", [x, store(key + ".weight")], [key], kernel_shape=[kernel] * 2,
                                      strides=[stride] * 2, pads=[kernel // 2] * 4))
        norm = norm_of(key)
        parts = [store(f"{norm}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        nodes.append(helper.make_node("BatchNormalization", [key, *parts], [norm], epsilon=1e-5))
        return norm

    def relu(x: str, name: str = "") -> str:
        nodes.append(helper.make_node("Relu", [x], [name or x + ".relu"]))
        return nodes[-1].output[0]

    x = relu(conv("images", "conv1", 2))
    nodes.append(helper.make_node("MaxPool", [x], ["pool"], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4))
    x = "pool"
    for stage, blocks in enumerate(BLOCKS[name]):
        for block in range(blocks):
            prefix = f"layer{stage + 1}.{block}."
            stride = 2 if stage > 0 and block == 0 else 1
            convs = 3 if name in WIDENING else 2
            strided = 2 if name in WIDENING else 1  # the convolution that has the stride
            y = x
            for i in range(1, convs + 1):
                y = conv(y, f"{prefix}conv{i}", stride if i == strided else 1)
                y = relu(y) if i < convs else y
            skip = conv(x, prefix + "downsample.0", stride) if f"{prefix}downsample.0.weight" in state else x
            nodes.append(helper.make_node("Add", [y, skip], [prefix + "sum"]))
            x = relu(prefix + "sum", f"layer{stage + 1}" if block + 1 == blocks else "")
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, size, size])
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, [f"{output}.{axis}" for axis in "nchw"]) for output in OUTPUTS]
    graph = helper.make_graph(nodes, name, [image], outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
