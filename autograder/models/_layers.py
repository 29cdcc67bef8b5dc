"""Layers: the table of layer classes the grader knows, one line a class.

An entry names the options a prediction depends on, how shapes follow from shapes, and which weights the layer
then holds. From these alone `plan` totals parameters and work before anything is allocated, and `network` calls
the class's constructor. An option means the same in every class that has it, so a second table says once what
each may be. What only matters to training is kept aside as it came: `starts` reads it where a model is trained.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from autograder.models import _shapes as shapes
from autograder.models._shapes import Shape, ShapeError


@dataclass(frozen=True)
class Layer:
    """One layer, or one operation on tensors such as ops.GetItem. `layer["units"]` is an option.

    kind: class name; options: those that predictions depend on, checked; inside: wrapped layers.
    name is the student's own text, for messages; place is where its weights are in the HDF5 file; told is the
    whole config as it came, which nothing reads but `starts`, with checks of its own.
    """

    kind: str
    options: Mapping[str, object]
    inside: tuple["Layer", ...] = ()
    name: str = field(default="", repr=False)
    place: str = field(default="", repr=False)
    told: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, option: str):
        return self.options[option]

    def __str__(self) -> str:
        return f"{self.kind} layer {self.name!r}"

    @property
    def all(self) -> list["Layer"]:
        """The layer and those wrapped in it."""
        return [self, *(part for wrapped in self.inside for part in wrapped.all)]

    @property
    def is_operation(self) -> bool:
        return self.kind.startswith("ops.")

    def outputs(self, *inputs: Shape) -> tuple[Shape, ...]:
        """Return the shapes that come out for the shapes that go in. Raises ShapeError."""
        return KINDS[self.kind].outputs(self, *inputs)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        """Shape of each weight by its path in the HDF5 file, in Keras's order. Raises ShapeError."""
        return KINDS[self.kind].weights(self, *inputs)


# --- what an option may be: each check returns the value, or raises ShapeError with what it should be


def whole(value) -> int:
    if type(value) is not int or not 1 <= value <= 2**40:
        raise ShapeError("a whole number from 1 on")
    return value


def single(value) -> int:
    """3 or [3], as Keras writes the sizes of one-dimensional windows."""
    return whole(value[0] if isinstance(value, list) and len(value) == 1 else value)


def whole_numbers(value) -> tuple[int, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= 4:
        raise ShapeError("a list of one to four whole numbers")
    return tuple(-1 if axis == -1 else whole(axis) for axis in value)


def batch_shape(value) -> Shape:
    """Return a shape whose batch is free; one that is fixed changes nothing."""
    if not isinstance(value, list) or not 2 <= len(value) <= 5:
        raise ShapeError("a shape such as [null, null, 4]")
    sizes = [None if size is None else whole(size) for size in value]
    return (None, *sizes[1:])


def input_dtype(value) -> str:
    """Return the dtype that inputs are converted to; a smaller type holds no other numbers."""
    if value in ("float16", "bfloat16", "float32", "float64"):
        return "float32"
    if value in ("int8", "int16", "int32", "uint8", "uint16"):
        return "int32"
    if value != "int64":
        raise ShapeError("float32 or int32: the model takes numbers; turn text into numbers in your notebook")
    return value


def stateful(value) -> bool:
    """Return False: each sequence begins with a zero state here, as it does in Keras after loading."""
    one_of(True, False)(value)
    return False


def shared_axes(value) -> tuple[int, ...] | None:
    return None if value is None else whole_numbers(value)


def axis(value) -> int:
    """-1 or [-1]. Axis 0 would mix the sequences of a batch."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    if type(value) is not int or value == 0:
        raise ShapeError("one axis other than the batch (0)")
    return value


def number(value, least: float = -1e30) -> float:
    if type(value) not in (int, float) or not least <= value <= 1e30:
        raise ShapeError("a number")
    return float(value)


def positive(value) -> float:
    return number(value, least=0)


def positive_or_null(value) -> float | None:
    return None if value is None else positive(value)


def one_of(*among) -> Callable:
    def check(value):
        if not any(type(value) is type(choice) and value == choice for choice in among):
            raise ShapeError(" or ".join(map(repr, among)))
        return value

    return check


ACTIVATIONS = """linear relu relu6 leaky_relu elu selu celu gelu silu swish mish softplus softsign softmax
log_softmax tanh sigmoid hard_sigmoid hard_silu hard_swish hard_tanh log_sigmoid exponential squareplus
sparse_plus sparse_sigmoid tanh_shrink soft_shrink hard_shrink"""


class ActivationLayer(NamedTuple):
    """An activation that is given as a layer, such as `Dense(3, activation=LeakyReLU(0.3))`."""

    kind: str
    options: tuple[tuple[str, object], ...]


TENSORFLOWS = {"softmax_v2": "softmax", "log_softmax_v2": "log_softmax"}  # what tf.nn calls its functions


def activation(value) -> str | ActivationLayer:
    """Return an activation's name from a name, a function of Keras or TensorFlow, or a layer without weights."""
    value = "linear" if value is None else value
    kind, config = (
        (value.get(key) for key in ("class_name", "config")) if isinstance(value, dict) else ("", None)
    )
    if kind == "function" and value.get("module") == "builtins" and isinstance(config, str):
        value = TENSORFLOWS.get(config, config)  # Keras, too, goes by the name of the function
    elif isinstance(config, dict) and value.get("module") == "keras.layers":
        if kind == "Activation":
            return activation(config.get("activation"))
        if kind == "Softmax" and config.get("axis") in (-1, [-1]):
            return "softmax"
        if kind in ("ReLU", "LeakyReLU", "ELU"):
            options = KINDS[kind].options.split()
            return ActivationLayer(
                kind, tuple((key, OPTIONS[key](config.get(key, DEFAULTS.get(key)))) for key in options)
            )
    if not isinstance(value, str) or value not in ACTIVATIONS.split():
        raise ShapeError(
            "the name of one of Keras's activations, such as 'tanh' (a function of your own is code; build the same"
            " model with a name, and take over what it has learnt: new.set_weights(model.get_weights()))"
        )
    return value


CHECKS: Mapping[Callable, str] = {
    whole: "units input_dim output_dim filters groups n",
    single: "kernel_size strides dilation_rate pool_size",
    whole_numbers: "target_shape dims",
    batch_shape: "batch_shape",
    axis: "axis",
    number: "mask_value Rescaling.scale SkipCell.scale offset",
    positive: "rate stddev epsilon alpha negative_slope threshold",
    positive_or_null: "max_value",
    activation: "activation recurrent_activation",
    one_of(True, False): "use_bias mask_zero keepdims center scale return_sequences return_state go_backwards"
    " zero_output_for_mask reset_after",
    one_of(False): "sparse ragged rms_scaling renorm",  # true would change what a prediction means
    stateful: "stateful",
    shared_axes: "shared_axes",
    one_of("valid", "same", "causal"): "padding",
    one_of("channels_last"): "data_format",
    one_of("concat", "sum", "mul", "ave", None): "merge_mode",
    input_dtype: "InputLayer.dtype",
    one_of("bool", None): "dtype",
}
OPTIONS = {option: check for check, options in CHECKS.items() for option in options.split()}
# Options that some version from Keras 3.3 on does not write, and what it means.
DEFAULTS = {"ragged": False, "rms_scaling": False, "renorm": False, "alpha": 1.0, "dtype": None}
TRAINING = """name trainable dtype seed noise_shape dropout recurrent_dropout unit_forget_bias momentum synchronized
renorm_clipping renorm_momentum optional unroll layer backward_layer cell initial"""


def check_of(kind: str, option: str) -> Callable:
    return OPTIONS.get(f"{kind}.{option}") or OPTIONS[option]


# --- the table


@dataclass(frozen=True)
class LayerSpec:
    """A layer class: the options its constructor gets; the rules for what comes out and for its weights.

    takes: "one" tensor, a "list" of them, "two" of which one may be a number, or one and a "key" to index it; a
    "cell" takes a step and is found inside an RNN alone.
    inside: the options that hold wrapped layers.
    """

    options: str = ""
    outputs: Callable[..., tuple[Shape, ...]] = shapes.same
    weights: Callable[..., dict[str, Shape]] = shapes.weightless
    takes: str = "one"
    inside: tuple[str, ...] = ()


WAYS = "return_sequences return_state go_backwards stateful zero_output_for_mask"
RNN = f"units activation use_bias {WAYS}"
CONV = "filters kernel_size strides padding data_format dilation_rate groups activation use_bias"
NORM = "axis epsilon center scale"
POOL = "pool_size strides padding data_format"

recurrent = (shapes.recurrent, shapes.recurrent_weights)
normalised = (shapes.normalised, shapes.normalisation_weights)
wrapped_twice = (shapes.bidirectional, shapes.bidirectional_weights)
wrapped = (shapes.time_distributed, shapes.time_distributed_weights)
merging = LayerSpec("", shapes.merged, takes="list")
elementwise = LayerSpec("", shapes.merged, takes="two")
reduction = LayerSpec("axis keepdims", shapes.reduced)

KINDS: Mapping[str, LayerSpec] = {
    "InputLayer": LayerSpec("batch_shape dtype sparse ragged", takes="nothing"),
    "Dense": LayerSpec("units activation use_bias", shapes.dense, shapes.dense_weights),
    "Embedding": LayerSpec("input_dim output_dim mask_zero", shapes.embedding, shapes.embedding_weights),
    "SimpleRNN": LayerSpec(RNN, *recurrent),
    "GRU": LayerSpec(f"{RNN} recurrent_activation reset_after", *recurrent),
    "LSTM": LayerSpec(f"{RNN} recurrent_activation", *recurrent),
    "RNN": LayerSpec(WAYS, *recurrent, inside=("cell",)),
    "SkipCell": LayerSpec(
        "units scale", takes="cell"
    ),  # a student's own class: its name and numbers, not its code
    "Bidirectional": LayerSpec("merge_mode", *wrapped_twice, inside=("layer", "backward_layer")),
    "TimeDistributed": LayerSpec("", *wrapped, inside=("layer",)),
    "Conv1D": LayerSpec(CONV, shapes.convolved, shapes.convolution_weights),
    "LayerNormalization": LayerSpec(f"{NORM} rms_scaling", *normalised),
    "BatchNormalization": LayerSpec(f"{NORM} renorm", *normalised),
    "Masking": LayerSpec("mask_value"),
    "Dropout": LayerSpec("rate"),
    "SpatialDropout1D": LayerSpec("rate"),
    "GaussianDropout": LayerSpec("rate"),
    "GaussianNoise": LayerSpec("stddev"),
    "Identity": LayerSpec(),
    "Activation": LayerSpec("activation"),
    "ReLU": LayerSpec("max_value negative_slope threshold"),
    "LeakyReLU": LayerSpec("negative_slope"),
    "PReLU": LayerSpec("shared_axes", shapes.same, shapes.slope_weights),
    "ELU": LayerSpec("alpha"),
    "Softmax": LayerSpec("axis", shapes.along_axis),
    "Rescaling": LayerSpec("scale offset"),
    "GlobalMaxPooling1D": LayerSpec("data_format keepdims", shapes.pooled_globally),
    "GlobalAveragePooling1D": LayerSpec("data_format keepdims", shapes.pooled_globally),
    "MaxPooling1D": LayerSpec(POOL, shapes.pooled),
    "AveragePooling1D": LayerSpec(POOL, shapes.pooled),
    "Flatten": LayerSpec("data_format", shapes.flattened),
    "Reshape": LayerSpec("target_shape", shapes.reshaped),
    "Permute": LayerSpec("dims", shapes.permuted),
    "RepeatVector": LayerSpec("n", shapes.repeated),
    "Concatenate": LayerSpec("axis", shapes.joined, takes="list"),
    "Add": merging,
    "Subtract": merging,
    "Multiply": merging,
    "Average": merging,
    "Maximum": merging,
    "Minimum": merging,
    # What a functional model holds for masks, and for arithmetic such as 2 * x or x[:, -1] between layers.
    "ops.NotEqual": elementwise,
    "ops.LogicalOr": elementwise,
    "ops.Add": elementwise,
    "ops.Subtract": elementwise,
    "ops.Multiply": elementwise,
    "ops.TrueDivide": elementwise,
    "ops.Maximum": elementwise,
    "ops.Minimum": elementwise,
    "ops.Any": reduction,
    "ops.Max": reduction,
    "ops.Min": reduction,
    "ops.Mean": reduction,
    "ops.Sum": reduction,
    "ops.ZerosLike": LayerSpec("dtype"),
    "ops.ExpandDims": LayerSpec("axis", shapes.expanded),
    "ops.Concatenate": LayerSpec("axis", shapes.joined, takes="list"),
    "ops.GetItem": LayerSpec("", shapes.picked, takes="key"),
}
