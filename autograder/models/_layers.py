"""Layers: all that the grader knows of each Keras layer, one `LayerSpec` a class, in the table LAYER_SPECS.

A spec names the options that a prediction depends on, how shapes follow from shapes, which weights the layer holds,
what it computes in NumPy and what becomes of a mask. From these `_plan` totals parameters and work before anything is
allocated, `_evaluator` predicts, and `_builder` calls the class's constructor. To add a layer, add its spec here; its
rules may be functions of `_shapes` and `_computations`, or lambdas. What only matters to training is kept aside in
`raw_config`: `_initializers` reads it where a model is trained.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from autograder.models import _computations as computations
from autograder.models import _keras_classes as keras_classes
from autograder.models import _recurrent as recurrent
from autograder.models import _shapes as shapes
from autograder.models._activations import ACTIVATIONS, activation_of, elu, relu
from autograder.models._computations import ELEMENTWISE, MERGES, Arrays, Mask, Masks
from autograder.models._convolution import convolve, pool
from autograder.models._recurrent import Recurrence
from autograder.models._shapes import Shape, ShapeError, WeightShapes


@dataclass(frozen=True)
class Layer:
    """One layer, or one operation on tensors such as ops.GetItem. `layer["units"]` is an option.

    Attributes:
        kind: the name of its class, a key of LAYER_SPECS.
        options: those that predictions depend on, checked.
        inside: the layers that it wraps.
        name: the student's own text, for messages.
        h5_path: where its weights are in the HDF5 file.
        raw_config: the whole config as it was saved, unchecked; only `_initializers` reads it.
    """

    kind: str
    options: Mapping[str, Any]
    inside: tuple["Layer", ...] = ()
    name: str = field(default="", repr=False)
    h5_path: str = field(default="", repr=False)
    raw_config: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, option: str) -> Any:
        return self.options[option]

    def __str__(self) -> str:
        return f"{self.kind} layer {self.name!r}"

    @property
    def spec(self) -> "LayerSpec":
        return LAYER_SPECS[self.kind]

    @property
    def recurrence(self) -> Recurrence:
        """Return how the layer goes from step to step; only recurrent layers have that."""
        assert self.spec.recurrence
        return self.spec.recurrence

    @property
    def all(self) -> list["Layer"]:
        """The layer and those wrapped in it."""
        return [self, *(part for wrapped in self.inside for part in wrapped.all)]

    @property
    def is_operation(self) -> bool:
        return self.kind.startswith("ops.")

    def outputs(self, *inputs: Shape) -> tuple[Shape, ...]:
        """Return the shapes that come out for the shapes that go in. Raises ShapeError."""
        return self.spec.outputs(self, *inputs)

    def weights(self, *inputs: Shape) -> WeightShapes:
        """Return the shape of each weight by its path in the HDF5 file, in Keras's order. Raises ShapeError."""
        return self.spec.weights(self, *inputs)

    def compute(self, weights: Arrays, xs: Arrays, masks: Masks, *state: np.ndarray) -> Arrays:
        """Return the results for inputs (..., rows), their masks and an initial state."""
        if not self.spec.any_dtype:
            xs = [as_float(x) for x in xs]
        if self.spec.reads_masks:
            return self.spec.compute(self, weights, xs, masks, *map(as_float, state))
        return [self.spec.compute(self, weights, *xs)]


def as_float(x: Any) -> Any:
    """Return an array as float32; a number or an index as it is."""
    return x.astype(np.float32, copy=False) if isinstance(x, np.ndarray) else x


# --- what an option may be: each check returns the value, or raises ShapeError with what it should be


def whole(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 2**40:
        raise ShapeError("a whole number from 1 on")
    return value


def single(value: Any) -> int:
    """3 or [3], as Keras writes the sizes of one-dimensional windows."""
    return whole(value[0] if isinstance(value, list) and len(value) == 1 else value)


def whole_numbers(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= 4:
        raise ShapeError("a list of one to four whole numbers")
    return tuple(-1 if axis == -1 else whole(axis) for axis in value)


def batch_shape(value: Any) -> Shape:
    """Return a shape whose batch is free; one that is fixed changes nothing."""
    if not isinstance(value, list) or not 2 <= len(value) <= 5:
        raise ShapeError("a shape such as [null, null, 4]")
    sizes = [None if size is None else whole(size) for size in value]
    return (None, *sizes[1:])


def input_dtype(value: Any) -> str:
    """Return the dtype that inputs are converted to; a smaller type holds no other numbers."""
    if value in ("float16", "bfloat16", "float32", "float64"):
        return "float32"
    if value in ("int8", "int16", "int32", "uint8", "uint16"):
        return "int32"
    if value != "int64":
        raise ShapeError("float32 or int32: the model takes numbers; turn text into numbers in your notebook")
    return value


def stateful(value: Any) -> bool:
    """Return False: each sequence begins with a zero state here, as it does in Keras after loading."""
    one_of(True, False)(value)
    return False


def shared_axes(value: Any) -> tuple[int, ...] | None:
    return None if value is None else whole_numbers(value)


def axis(value: Any) -> int:
    """-1 or [-1]. Axis 0 would mix the sequences of a batch."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    if type(value) is not int or value == 0:
        raise ShapeError("one axis other than the batch (0)")
    return value


def number(value: Any, least: float = -1e30) -> float:
    if type(value) not in (int, float) or not least <= value <= 1e30:
        raise ShapeError("a number")
    return float(value)


def positive(value: Any) -> float:
    return number(value, least=0)


def positive_or_null(value: Any) -> float | None:
    return None if value is None else positive(value)


def one_of(*among: object) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if not any(type(value) is type(choice) and value == choice for choice in among):
            raise ShapeError(" or ".join(map(repr, among)))
        return value

    return check


class ActivationLayer(NamedTuple):
    """An activation that is given as a layer, such as `Dense(3, activation=LeakyReLU(0.3))`."""

    kind: str
    options: tuple[tuple[str, object], ...]


TENSORFLOWS = {"softmax_v2": "softmax", "log_softmax_v2": "log_softmax"}  # what tf.nn calls its functions


def activation(value: Any) -> str | ActivationLayer:
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
            options = LAYER_SPECS[kind].options
            return ActivationLayer(
                kind, tuple((key, OPTIONS[key](config.get(key, DEFAULTS.get(key)))) for key in options)
            )
    if not isinstance(value, str) or value not in ACTIVATIONS:
        raise ShapeError(
            "the name of one of Keras's activations, such as 'tanh' (a function of your own is code; build the same"
            " model with a name, and take over what it has learnt: new.set_weights(model.get_weights()))"
        )
    return value


OPTIONS: Mapping[str, Callable[[Any], Any]] = {  # "Class.option" where it means something else in one class
    **dict.fromkeys(("units", "input_dim", "output_dim", "filters", "groups", "n"), whole),
    **dict.fromkeys(("kernel_size", "strides", "dilation_rate", "pool_size"), single),
    **dict.fromkeys(("target_shape", "dims"), whole_numbers),
    "batch_shape": batch_shape,
    "axis": axis,
    **dict.fromkeys(("mask_value", "offset", "Rescaling.scale", "SkipCell.scale"), number),
    **dict.fromkeys(("rate", "stddev", "epsilon", "alpha", "negative_slope", "threshold"), positive),
    "max_value": positive_or_null,
    **dict.fromkeys(("activation", "recurrent_activation"), activation),
    **dict.fromkeys(
        ("use_bias", "mask_zero", "keepdims", "center", "scale", "reset_after"), one_of(True, False)
    ),
    **dict.fromkeys(("return_sequences", "return_state", "go_backwards"), one_of(True, False)),
    "zero_output_for_mask": one_of(True, False),
    **dict.fromkeys(("sparse", "ragged", "rms_scaling", "renorm"), one_of(False)),  # True changes predictions
    "stateful": stateful,
    "shared_axes": shared_axes,
    "padding": one_of("valid", "same", "causal"),
    "data_format": one_of("channels_last"),
    "merge_mode": one_of("concat", "sum", "mul", "ave", None),
    "InputLayer.dtype": input_dtype,
    "dtype": one_of("bool", None),
}
# Options that some version from Keras 3.3 on does not write, and what it means.
DEFAULTS = {"ragged": False, "rms_scaling": False, "renorm": False, "alpha": 1.0, "dtype": None}
TRAINING_OPTIONS = frozenset(
    {
        "name", "trainable", "dtype", "seed", "noise_shape", "dropout", "recurrent_dropout", "unit_forget_bias",
        "momentum", "synchronized", "renorm_clipping", "renorm_momentum", "optional", "unroll", "layer",
        "backward_layer", "cell", "initial",
    }
)  # fmt: skip


def check_of(kind: str, option: str) -> Callable:
    return OPTIONS.get(f"{kind}.{option}") or OPTIONS[option]


# --- the table


@dataclass(frozen=True)
class LayerSpec:
    """All that is known of a layer class.

    Attributes:
        options: what its constructor gets, of what predictions depend on; OPTIONS says what each may be.
        outputs, weights: rules of `_shapes`: the shapes of its results, and of its weights by path.
        compute: takes the layer, its weights and its inputs (..., rows), and returns its result; if `reads_masks`,
            takes lists of inputs and masks and an initial state, and returns a list.
        mask: a rule of `_computations`: the mask of its first result.
        takes: "one" tensor, a "list" of them, "two" of which one may be a number, or one and a "key" to index it; a
            "cell" takes a step and is found inside an RNN alone.
        inside: the options that hold wrapped layers.
        initialized: the weights that have an initializer, in Keras's order.
        takes_mask: a mask may be passed to it by name.
        any_dtype: whole numbers and masks go through; all else gets float32.
        recurrence: how it goes from step to step, if it does.
        returns_mask: its results are masks.
        serves_masks: Keras computes masks with it, in a functional model.
        mixes_steps: it makes one step out of several, or another axis out of the steps.
        is_lookup: its weights are looked up and not multiplied.
        keras_class: returns what builds it, if that is not the class of this name in keras.layers.
    """

    options: tuple[str, ...] = ()
    outputs: Callable[..., tuple[Shape, ...]] = shapes.same
    weights: Callable[..., WeightShapes] = shapes.weightless
    compute: Callable[..., Any] = lambda layer, weights, x: x
    mask: Callable[[Layer, Arrays, Masks], Mask] = computations.drop_mask
    takes: str = "one"
    inside: tuple[str, ...] = ()
    initialized: tuple[str, ...] = ()
    reads_masks: bool = False
    takes_mask: bool = False
    any_dtype: bool = False
    recurrence: Recurrence | None = None
    returns_mask: bool = False
    serves_masks: bool = False
    mixes_steps: bool = False
    is_lookup: bool = False
    keras_class: Callable[[], Callable] | None = None


STEP_OPTIONS = ("return_sequences", "return_state", "go_backwards", "stateful", "zero_output_for_mask")
RNN_OPTIONS = ("units", "activation", "use_bias", *STEP_OPTIONS)
NORM_OPTIONS = ("axis", "epsilon", "center", "scale")
POOL_OPTIONS = ("pool_size", "strides", "padding", "data_format")
CONV_OPTIONS = (
    "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "groups", "activation", "use_bias",
)  # fmt: skip
PASS = computations.pass_mask


def recurrent_spec(
    options: tuple[str, ...], recurrence: Recurrence, inside: tuple[str, ...] = ()
) -> LayerSpec:
    return LayerSpec(
        options, shapes.recurrent, shapes.recurrent_weights, recurrent.recurrent, computations.pass_mask_of_steps,
        inside=inside, initialized=() if inside else ("kernel", "recurrent", "bias"),
        reads_masks=True, takes_mask=True, recurrence=recurrence,
    )  # fmt: skip


def still_spec(*options: str) -> LayerSpec:
    """Return the spec of a layer that does something in training only."""
    return LayerSpec(options, mask=PASS)


def merge_spec() -> LayerSpec:
    return LayerSpec(
        (),
        shapes.merged,
        compute=computations.merge,
        mask=computations.merge_masks,
        takes="list",
        reads_masks=True,
    )


def elementwise_spec(function: Callable, **facts: bool) -> LayerSpec:
    return LayerSpec((), shapes.merged, compute=computations.elementwise(function), takes="two", **facts)  # type: ignore[arg-type]


def reduction_spec(function: Callable, **facts: bool) -> LayerSpec:
    compute = computations.reduction(function)
    return LayerSpec(("axis", "keepdims"), shapes.reduced, compute=compute, **facts)  # type: ignore[arg-type]


LAYER_SPECS: Mapping[str, LayerSpec] = {
    "InputLayer": LayerSpec(("batch_shape", "dtype", "sparse", "ragged"), takes="nothing"),
    "Dense": LayerSpec(
        ("units", "activation", "use_bias"), shapes.dense, shapes.dense_weights, computations.dense, PASS,
        initialized=("kernel", "bias"),
    ),
    "Embedding": LayerSpec(
        ("input_dim", "output_dim", "mask_zero"), shapes.embedding, shapes.embedding_weights, computations.embed,
        computations.mask_zeros, initialized=("embeddings",), any_dtype=True, is_lookup=True,
    ),
    "SimpleRNN": recurrent_spec(RNN_OPTIONS, recurrent.SIMPLE),
    "GRU": recurrent_spec((*RNN_OPTIONS, "recurrent_activation", "reset_after"), recurrent.GRU),
    "LSTM": recurrent_spec((*RNN_OPTIONS, "recurrent_activation"), recurrent.LSTM),
    "RNN": recurrent_spec(STEP_OPTIONS, recurrent.SKIP, inside=("cell",)),
    "SkipCell": LayerSpec(  # a student's own class: its name and numbers, not its code
        ("units", "scale"), takes="cell", initialized=("kernel", "recurrent", "bias"),
        keras_class=keras_classes.skip_cell,
    ),
    "Bidirectional": LayerSpec(
        ("merge_mode",), shapes.bidirectional, shapes.bidirectional_weights, recurrent.bidirectional,
        computations.pass_mask_of_steps, inside=("layer", "backward_layer"), reads_masks=True, takes_mask=True,
        keras_class=keras_classes.bidirectional,
    ),
    "TimeDistributed": LayerSpec(
        (), shapes.time_distributed, shapes.time_distributed_weights, computations.time_distributed, PASS,
        inside=("layer",), reads_masks=True, takes_mask=True, keras_class=keras_classes.time_distributed,
    ),
    "Conv1D": LayerSpec(
        CONV_OPTIONS, shapes.convolved, shapes.convolution_weights, convolve,
        initialized=("kernel", "bias"), mixes_steps=True,
    ),
    "LayerNormalization": LayerSpec(
        (*NORM_OPTIONS, "rms_scaling"), shapes.normalised, shapes.normalisation_weights,
        computations.layer_normalise, PASS, initialized=("gamma", "beta"),
    ),
    "BatchNormalization": LayerSpec(
        (*NORM_OPTIONS, "renorm"), shapes.normalised, shapes.normalisation_weights, computations.batch_normalise,
        PASS, initialized=("gamma", "beta", "moving_mean", "moving_variance"), reads_masks=True, takes_mask=True,
    ),
    "Masking": LayerSpec(
        ("mask_value",), mask=computations.mask_values,
        compute=lambda layer, weights, x: x * (x != layer["mask_value"]).any(axis=-2, keepdims=True),
    ),
    "Dropout": still_spec("rate"),
    "SpatialDropout1D": still_spec("rate"),
    "GaussianDropout": still_spec("rate"),
    "GaussianNoise": still_spec("stddev"),
    "Identity": still_spec(),
    "Activation": LayerSpec(
        ("activation",), compute=lambda layer, weights, x: activation_of(layer["activation"])(x.copy()), mask=PASS
    ),
    "ReLU": LayerSpec(
        ("max_value", "negative_slope", "threshold"), mask=PASS,
        compute=lambda layer, weights, x: relu(x.copy(), **layer.options),
    ),
    "LeakyReLU": LayerSpec(
        ("negative_slope",), compute=lambda layer, weights, x: relu(x.copy(), **layer.options), mask=PASS
    ),
    "PReLU": LayerSpec(
        ("shared_axes",), shapes.same, shapes.slope_weights, mask=PASS, initialized=("alpha",),
        compute=lambda layer, weights, x: np.maximum(x, 0) + weights[0][..., None] * np.minimum(x, 0),
    ),
    "ELU": LayerSpec(("alpha",), compute=lambda layer, weights, x: elu(x, **layer.options), mask=PASS),
    "Softmax": LayerSpec(
        ("axis",), shapes.along_axis, compute=computations.softmax_layer, mask=PASS, reads_masks=True, takes_mask=True
    ),
    "Rescaling": LayerSpec(
        ("scale", "offset"), compute=lambda layer, weights, x: x * layer["scale"] + layer["offset"], mask=PASS
    ),
    "GlobalMaxPooling1D": LayerSpec(
        ("data_format", "keepdims"), shapes.pooled_globally, mixes_steps=True,
        compute=lambda layer, weights, x: x.max(axis=0, keepdims=layer["keepdims"]),
    ),
    "GlobalAveragePooling1D": LayerSpec(
        ("data_format", "keepdims"), shapes.pooled_globally, compute=computations.average, reads_masks=True,
        takes_mask=True, mixes_steps=True,
    ),
    "MaxPooling1D": LayerSpec(POOL_OPTIONS, shapes.pooled, compute=pool, mixes_steps=True),
    "AveragePooling1D": LayerSpec(POOL_OPTIONS, shapes.pooled, compute=pool, mixes_steps=True),
    "Flatten": LayerSpec(
        ("data_format",), shapes.flattened, mixes_steps=True,
        compute=lambda layer, weights, x: x.reshape(-1, x.shape[-1]),
    ),
    "Reshape": LayerSpec(
        ("target_shape",), shapes.reshaped, mixes_steps=True,
        compute=lambda layer, weights, x: x.reshape(*layer["target_shape"], x.shape[-1]),
    ),
    "Permute": LayerSpec(
        ("dims",), shapes.permuted, mixes_steps=True,
        compute=lambda layer, weights, x: x.transpose(*(n - 1 for n in layer["dims"]), x.ndim - 1),
    ),
    "RepeatVector": LayerSpec(
        ("n",), shapes.repeated, mixes_steps=True,
        compute=lambda layer, weights, x: np.repeat(x[None], layer["n"], axis=0),
    ),
    "Concatenate": LayerSpec(
        ("axis",), shapes.joined, compute=computations.concatenate, mask=computations.join_masks, takes="list"
    ),
    **{name: merge_spec() for name in MERGES},
    # What a functional model holds for masks, and for arithmetic such as 2 * x or x[:, -1] between layers.
    "ops.NotEqual": elementwise_spec(np.not_equal, any_dtype=True, returns_mask=True, serves_masks=True),
    "ops.LogicalOr": elementwise_spec(np.logical_or, any_dtype=True, returns_mask=True, serves_masks=True),
    **{f"ops.{name}": elementwise_spec(function) for name, function in ELEMENTWISE.items()},
    "ops.TrueDivide": elementwise_spec(np.true_divide),
    "ops.Any": reduction_spec(np.any, any_dtype=True, returns_mask=True, serves_masks=True),
    "ops.Max": reduction_spec(np.max),
    "ops.Min": reduction_spec(np.min),
    "ops.Mean": reduction_spec(np.mean),
    "ops.Sum": reduction_spec(np.sum),
    "ops.ZerosLike": LayerSpec(
        ("dtype",), any_dtype=True, serves_masks=True,
        compute=lambda layer, weights, x: np.zeros_like(x, dtype=layer["dtype"]),
    ),
    "ops.ExpandDims": LayerSpec(
        ("axis",), shapes.expanded, any_dtype=True, serves_masks=True, mixes_steps=True,
        compute=lambda layer, weights, x: np.expand_dims(x, layer["axis"] - 1),
    ),
    "ops.Concatenate": LayerSpec(
        ("axis",), shapes.joined, compute=computations.concatenate, takes="list", any_dtype=True, serves_masks=True
    ),
    "ops.GetItem": LayerSpec(
        (), shapes.picked, takes="key", any_dtype=True,
        compute=lambda layer, weights, x, key: np.moveaxis(np.moveaxis(x, -1, 0)[key], 0, -1),
    ),
}  # fmt: skip
RECURRENT = tuple(name for name, spec in LAYER_SPECS.items() if spec.recurrence)
