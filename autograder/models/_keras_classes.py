"""Classes that build a layer where the one in keras.layers does not do; Keras is imported where they are called."""

from collections.abc import Callable
from typing import Any


def bidirectional() -> Callable:
    """Return a function that builds a Bidirectional of two layers."""
    import keras

    def build(forward: Any, backward: Any, **options: Any) -> Any:
        return keras.layers.Bidirectional(forward, backward_layer=backward, **options)

    return build


def time_distributed() -> type:
    """TimeDistributed that is right in a trace with a free time axis too.

    Keras 3.15.1 then runs as many steps as the batch has rows (`call` takes the count before it swaps the axes).
    Here batch and time become one axis for the wrapped layer, which is what the layer means.
    """
    import keras

    class PerStep(keras.layers.TimeDistributed):
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            batch, time, *rest = keras.ops.shape(inputs)
            outputs = self.layer(keras.ops.reshape(inputs, (-1, *rest)), training=training)
            return keras.ops.reshape(outputs, (batch, time, *keras.ops.shape(outputs)[1:]))

    return PerStep


def skip_cell() -> type:
    """Return the cell with a skip connection in time: h + scale * tanh(x W + h U + b), (batch, units)."""
    import keras

    class SkipCell(keras.layers.Layer):
        def __init__(self, units: int, scale: float, **rest: Any):
            super().__init__(**rest)
            self.units, self.scale, self.state_size = units, scale, units

        def build(self, shape: tuple) -> None:
            units = self.units
            self.kernel = self.add_weight(shape=(shape[-1], units), initializer="glorot_uniform")
            self.recurrent = self.add_weight(shape=(units, units), initializer="orthogonal")
            self.bias = self.add_weight(shape=(units,), initializer="zeros")

        def call(self, x: Any, states: list, training: Any = False) -> Any:
            [before] = states
            step = keras.ops.tanh(x @ self.kernel + before @ self.recurrent + self.bias)
            after = before + self.scale * step
            return after, [after]

    return SkipCell
