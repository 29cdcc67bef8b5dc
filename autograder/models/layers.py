"""Layers: the table of layer classes the grader knows, one entry a class.

An entry says which options a prediction depends on and what each may be, which shape comes out, and which
weights the layer then holds. From these alone `plan` totals parameters and work before anything is allocated,
and `network` calls the class's constructor. What only matters to training (initializers, regularizers,
constraints, seeds, dropout inside a recurrent layer) is ignored, whatever it says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from autograder.models import shapes
from autograder.models.shapes import Misfit, Shape


@dataclass(frozen=True)
class Layer:
    """One layer, or one operation on tensors such as ops.GetItem. `layer["units"]` is an option.

    kind: class name; options: those that predictions depend on, checked; inside: wrapped layers.
    name is the student's own text, for messages; place is where its weights are in the HDF5 file.
    """

    kind: str
    options: Mapping[str, object]
    inside: tuple["Layer", ...] = ()
    name: str = field(default="", repr=False)
    place: str = field(default="", repr=False)

    def __getitem__(self, option: str):
        return self.options[option]

    def outputs(self, *inputs: Shape) -> tuple[Shape, ...]:
        """The shapes that come out for the shapes that go in. Raises Misfit."""
        return KINDS[self.kind].outputs(self, *inputs)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        """Shape of each weight by its path in the HDF5 file, in Keras's order. Raises Misfit."""
        return KINDS[self.kind].weights(self, *inputs)


@dataclass(frozen=True)
class Kind:
    """What the grader knows of a layer class.

    options: the check of each option that the constructor gets; ignored: options no prediction depends on;
    defaults: options that some version from Keras 3.3 on does not write.
    inside: the options that hold wrapped layers; wraps: the classes these may be of.
    takes: "one" tensor, a "list" of them, "two" of which one may be a number, or one and a "key" to index it.
    """

    options: Mapping[str, Callable] = field(default_factory=dict)
    outputs: Callable[..., tuple[Shape, ...]] = shapes.same
    weights: Callable[..., dict[str, Shape]] = shapes.weightless
    ignored: tuple[str, ...] = ()
    defaults: Mapping[str, object] = field(default_factory=dict)
    inside: tuple[str, ...] = ()
    wraps: tuple[str, ...] = ()
    takes: str = "one"


# --- what an option may be: each returns the value or raises Misfit


def whole(value, least: int = 1, most: int = 2**40) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Misfit(f"a whole number from {least} on")
    return value


def number(value, least: float = -1e30, most: float = 1e30) -> float:
    if type(value) not in (int, float) or not least <= value <= most:
        raise Misfit("a number" if least == -1e30 else f"a number from {least:g} on")
    return float(value)


def flag(value) -> bool:
    if type(value) is not bool:
        raise Misfit("true or false")
    return value


def single(value) -> int:
    """3 or [3], as one-dimensional convolution and pooling write their sizes."""
    return whole(value[0] if isinstance(value, list) and len(value) == 1 else value)


def choice(value, among: tuple):
    if type(value) not in {type(one) for one in among} or value not in among:
        raise Misfit(" or ".join(map(repr, among)))
    return value


def last_axis(value) -> int:
    """-1, also as [-1]; Keras writes 2 for it where the input has three axes."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return choice(value, (-1, 1, 2, 3))


def axis(value) -> int:
    """An axis of one sequence; axis 0 would mix the sequences of a batch."""
    if type(value) is not int or value == 0 or not -6 <= value <= 6:
        raise Misfit("one axis, and not the batch (0)")
    return value


def several(value) -> tuple[int, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= 6:
        raise Misfit("a list of up to 6 whole numbers")
    return tuple(whole(one, least=-1) for one in value)


def batch_shape(value) -> Shape:
    """[null, null, 4]: a free batch, then one axis or more of which each is free or a length."""
    if not isinstance(value, list) or not 2 <= len(value) <= 5 or value[0] is not None:
        raise Misfit("a shape such as [null, null, 4] with a free batch")
    return tuple(None if one is None else whole(one) for one in value)


ACTIVATIONS = frozenset(
    {
        "linear",
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "selu",
        "celu",
        "gelu",
        "silu",
        "swish",
        "mish",
        "softplus",
        "softsign",
        "softmax",
        "log_softmax",
        "tanh",
        "sigmoid",
        "hard_sigmoid",
        "hard_silu",
        "hard_swish",
        "hard_tanh",
        "log_sigmoid",
        "exponential",
        "squareplus",
        "sparse_plus",
        "tanh_shrink",
        "soft_shrink",
        "hard_shrink",
    }
)


def activation(value) -> str:
    value = "linear" if value is None else value
    if not isinstance(value, str) or value not in ACTIVATIONS:
        raise Misfit(
            "the name of an activation of Keras, such as 'tanh' or 'relu' (write your own as layers)"
        )
    return value


def only(*among) -> Callable:
    """The check that an option is one of these."""
    return partial(choice, among=among)


def maybe(check: Callable) -> Callable:
    """The check that an option is null or passes `check`."""
    return lambda value: None if value is None else check(value)


# --- the table

rate = partial(number, least=0, most=1)
positive = partial(number, least=0)
channels_last = only("channels_last")
never = only(False)

RECURRENT = {
    "units": whole,
    "activation": activation,
    "use_bias": flag,
    "return_sequences": flag,
    "return_state": flag,
    "go_backwards": flag,
    "stateful": never,  # a prediction would depend on the batch before
    "zero_output_for_mask": flag,
}
GATED = {**RECURRENT, "recurrent_activation": activation}
recurrent = partial(
    Kind,
    outputs=shapes.recurrent,
    weights=shapes.recurrent_weights,
    ignored=("dropout", "recurrent_dropout", "unroll", "unit_forget_bias", "implementation", "use_cudnn"),
)
POOLING = {
    "pool_size": single,
    "strides": single,
    "padding": only("valid", "same"),
    "data_format": channels_last,
}
GLOBAL_POOLING = {"data_format": channels_last, "keepdims": flag}
NORMALISATION = {"axis": last_axis, "epsilon": positive, "center": flag, "scale": flag}
normalisation = partial(Kind, outputs=shapes.normalised, weights=shapes.normalisation_weights)
merging = Kind(outputs=shapes.merged, takes="list")
elementwise = Kind(outputs=shapes.merged, takes="two")
reduction = Kind({"axis": axis, "keepdims": flag}, shapes.reduced, ignored=("initial",))
filled = Kind({"dtype": only(None, "bool")}, defaults={"dtype": None})

KINDS: Mapping[str, Kind] = {
    "InputLayer": Kind(
        {
            "batch_shape": batch_shape,
            "dtype": only("float32", "int32", "int64"),
            "sparse": never,
            "ragged": never,
        },
        takes="nothing",
        ignored=("optional",),
        defaults={"ragged": False},
    ),
    "Dense": Kind(
        {"units": whole, "activation": activation, "use_bias": flag}, shapes.dense, shapes.dense_weights
    ),
    "Embedding": Kind(
        {"input_dim": whole, "output_dim": whole, "mask_zero": flag},
        shapes.embedding,
        shapes.embedding_weights,
    ),
    "SimpleRNN": recurrent(RECURRENT),
    "GRU": recurrent({**GATED, "reset_after": flag}),
    "LSTM": recurrent(GATED),
    "Bidirectional": Kind(
        {"merge_mode": only("concat", "sum", "mul", "ave", None)},
        shapes.bidirectional,
        shapes.bidirectional_weights,
        inside=("layer", "backward_layer"),
        wraps=("SimpleRNN", "GRU", "LSTM"),
    ),
    "TimeDistributed": Kind(
        {},
        shapes.time_distributed,
        shapes.time_distributed_weights,
        inside=("layer",),
        wraps=(
            "Dense",
            "Activation",
            "Conv1D",
            "SimpleRNN",
            "GRU",
            "LSTM",
            "Bidirectional",
            "Flatten",
            "Dropout",
        ),
    ),
    "Conv1D": Kind(
        {
            "filters": whole,
            "kernel_size": single,
            "strides": single,
            "padding": only("valid", "same", "causal"),
            "data_format": channels_last,
            "dilation_rate": single,
            "groups": whole,
            "activation": activation,
            "use_bias": flag,
        },
        shapes.convolved,
        shapes.convolution_weights,
    ),
    "LayerNormalization": normalisation(
        {**NORMALISATION, "rms_scaling": never}, defaults={"rms_scaling": False}
    ),
    "BatchNormalization": normalisation(
        {**NORMALISATION, "renorm": never},
        defaults={"renorm": False},
        ignored=("momentum", "synchronized", "renorm_clipping", "renorm_momentum"),
    ),
    "Masking": Kind({"mask_value": number}),
    "Dropout": Kind({"rate": rate}, ignored=("noise_shape",)),
    "SpatialDropout1D": Kind({"rate": rate}),
    "GaussianDropout": Kind({"rate": rate}),
    "GaussianNoise": Kind({"stddev": positive}),
    "Identity": Kind(),
    "Activation": Kind({"activation": activation}),
    "ReLU": Kind({"max_value": maybe(positive), "negative_slope": positive, "threshold": positive}),
    "LeakyReLU": Kind({"negative_slope": positive}),
    "ELU": Kind({"alpha": positive}, defaults={"alpha": 1.0}),
    "Softmax": Kind({"axis": axis}, shapes.along_axis),
    "Rescaling": Kind({"scale": number, "offset": number}),
    "GlobalMaxPooling1D": Kind(GLOBAL_POOLING, shapes.pooled_globally),
    "GlobalAveragePooling1D": Kind(GLOBAL_POOLING, shapes.pooled_globally),
    "MaxPooling1D": Kind(POOLING, shapes.pooled),
    "AveragePooling1D": Kind(POOLING, shapes.pooled),
    "Flatten": Kind({"data_format": channels_last}, shapes.flattened),
    "Reshape": Kind({"target_shape": several}, shapes.reshaped),
    "Permute": Kind({"dims": several}, shapes.permuted),
    "RepeatVector": Kind({"n": whole}, shapes.repeated),
    "Add": merging,
    "Subtract": merging,
    "Multiply": merging,
    "Average": merging,
    "Maximum": merging,
    "Minimum": merging,
    "Concatenate": Kind({"axis": axis}, shapes.joined, takes="list"),
    # What a functional model holds for masks, and for arithmetic such as 2 * x or x[:, -1] between layers.
    "ops.NotEqual": elementwise,
    "ops.LogicalOr": elementwise,
    "ops.LogicalAnd": elementwise,
    "ops.ZerosLike": filled,
    "ops.OnesLike": filled,
    "ops.Add": elementwise,
    "ops.Subtract": elementwise,
    "ops.Multiply": elementwise,
    "ops.TrueDivide": elementwise,
    "ops.Maximum": elementwise,
    "ops.Minimum": elementwise,
    "ops.Any": reduction,
    "ops.All": reduction,
    "ops.Max": reduction,
    "ops.Min": reduction,
    "ops.Mean": reduction,
    "ops.Sum": reduction,
    "ops.Concatenate": Kind({"axis": axis}, shapes.joined, takes="list"),
    "ops.Stack": Kind({"axis": axis}, shapes.stacked, takes="list"),
    "ops.ExpandDims": Kind({"axis": axis}, shapes.expanded),
    "ops.GetItem": Kind({}, shapes.picked, takes="key"),
}
