"""Small models that between them use every layer and operation the grader knows; built with any Keras 3."""

import keras
from keras import layers as L
from keras import ops


def chain(*layers, shape=(None, 4), dtype="float32"):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def tokens(*layers):
    return chain(*layers, shape=(None,), dtype="int32")


def graph(build, shape=(None, 4), dtype="float32"):
    x = keras.Input(shape, dtype=dtype)
    return keras.Model(x, build(x))


def head(x):
    return L.Dense(1, activation="sigmoid")(x)


def one_layer() -> dict:
    """Return a builder for each layer, or option of a layer, that fits between a sequence and a dense layer."""
    sequence = {
        "masking": lambda: L.Masking(0.0),
        "dropout": lambda: L.Dropout(0.5),
        "dropout_with_seed": lambda: L.Dropout(0.5, noise_shape=(None, 1, 4), seed=3),
        "spatial_dropout": lambda: L.SpatialDropout1D(0.3),
        "gaussian_dropout": lambda: L.GaussianDropout(0.3),
        "gaussian_noise": lambda: L.GaussianNoise(0.3),
        "identity": lambda: L.Identity(),
        "relu_layer": lambda: L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2),
        "leaky_relu_layer": lambda: L.LeakyReLU(negative_slope=0.2),
        "elu_layer": lambda: L.ELU(alpha=1.0),
        "prelu_layer": lambda: L.PReLU(shared_axes=[1]),
        "relu_in_a_layer": lambda: L.SimpleRNN(3, activation=L.ReLU(max_value=50.0), return_sequences=True),
        "leaky_relu_in_a_layer": lambda: L.Dense(3, activation=L.LeakyReLU(0.1)),
        "elu_in_a_layer": lambda: L.GRU(3, activation=L.ELU(0.7), return_sequences=True),
        "activation_in_a_layer": lambda: L.Conv1D(3, 2, activation=L.Activation("softplus")),
        "softmax_layer": lambda: L.Softmax(),
        "softmax_over_time": lambda: L.Softmax(axis=1),
        "rescaling": lambda: L.Rescaling(2.0, offset=-1.0),
        "max_pooling": lambda: L.MaxPooling1D(2),
        "max_pooling_same": lambda: L.MaxPooling1D(3, strides=2, padding="same"),
        "average_pooling": lambda: L.AveragePooling1D(2, strides=1),
        "conv": lambda: L.Conv1D(5, 3, activation="relu"),
        "conv_same_dilated": lambda: L.Conv1D(4, 3, padding="same", dilation_rate=2, use_bias=False),
        "conv_causal_grouped": lambda: L.Conv1D(4, 2, padding="causal", groups=2, strides=2),
        "time_distributed": lambda: L.TimeDistributed(L.Dense(3, activation="tanh")),
        "dense_on_steps": lambda: L.Dense(3, use_bias=False),
        "layer_normalization": lambda: L.LayerNormalization(epsilon=1e-3),
        "layer_normalization_plain": lambda: L.LayerNormalization(center=False, scale=False),
        "batch_normalization": lambda: L.BatchNormalization(),
        "batch_normalization_scale_only": lambda: L.BatchNormalization(center=False, epsilon=0.01),
        "simple_rnn": lambda: L.SimpleRNN(3, return_sequences=True),
        "simple_rnn_backwards": lambda: L.SimpleRNN(
            3, return_sequences=True, go_backwards=True, activation="relu"
        ),
        "simple_rnn_dropout": lambda: L.SimpleRNN(
            3, return_sequences=True, dropout=0.5, recurrent_dropout=0.5
        ),
        "simple_rnn_no_bias": lambda: L.SimpleRNN(3, return_sequences=True, use_bias=False),
        "gru": lambda: L.GRU(3, return_sequences=True),
        "gru_before": lambda: L.GRU(
            3, return_sequences=True, reset_after=False, recurrent_activation="hard_sigmoid"
        ),
        "lstm": lambda: L.LSTM(3, return_sequences=True),
        "lstm_odd": lambda: L.LSTM(3, return_sequences=True, activation="relu", unit_forget_bias=False),
        "bidirectional": lambda: L.Bidirectional(L.SimpleRNN(3, return_sequences=True)),
        "bidirectional_sum": lambda: L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum"),
        "bidirectional_mul": lambda: L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode="mul"),
        "bidirectional_ave": lambda: L.Bidirectional(L.SimpleRNN(3, return_sequences=True), merge_mode="ave"),
    }
    return {
        name: lambda make=make: chain(make(), L.GlobalMaxPooling1D(), L.Dense(1))
        for name, make in sequence.items()
    }


ACTIVATIONS = """linear relu relu6 leaky_relu elu selu celu gelu silu mish softplus softsign softmax log_softmax
tanh sigmoid hard_sigmoid hard_silu hard_tanh log_sigmoid exponential squareplus sparse_plus sparse_sigmoid tanh_shrink
soft_shrink hard_shrink"""


def activations() -> dict:
    names = ACTIVATIONS.split()  # some came after Keras 3.3
    known = [name for name in names if hasattr(keras.activations, name)]

    def all_of_them():
        return graph(
            lambda x: head(L.Concatenate()([L.Activation(name)(L.Dense(2)(x[:, -1])) for name in known]))
        )

    return {"activations": all_of_them}


def sequential() -> dict:
    return {
        "last_state": lambda: chain(L.SimpleRNN(5), L.Dense(1, activation="sigmoid")),
        "masked_last_state": lambda: chain(L.Masking(), L.SimpleRNN(5), L.Dense(1)),
        "masked_bidirectional": lambda: chain(L.Masking(), L.Bidirectional(L.SimpleRNN(4)), L.Dense(1)),
        "masked_mean": lambda: chain(
            L.Masking(), L.LSTM(4, return_sequences=True), L.GlobalAveragePooling1D(), L.Dense(1)
        ),
        "stacked": lambda: chain(
            L.Masking(),
            L.GRU(4, return_sequences=True),
            L.Dropout(0.2),
            L.LSTM(3, return_sequences=True),
            L.SimpleRNN(2),
            L.LayerNormalization(),
            L.Dense(2, activation="softmax"),
        ),
        "many_to_many": lambda: chain(
            L.Masking(),
            L.SimpleRNN(3, return_sequences=True),
            L.TimeDistributed(L.Dense(2, activation="softmax")),
        ),
        "tokens": lambda: tokens(L.Embedding(6, 3), L.GRU(3), L.Dense(1)),
        "masked_tokens": lambda: tokens(
            L.Embedding(6, 3, mask_zero=True), L.Bidirectional(L.LSTM(3), merge_mode="ave"), L.Dense(1)
        ),
        "time_distributed_rnn": lambda: chain(
            L.Reshape((-1, 2, 2)), L.TimeDistributed(L.SimpleRNN(3)), L.GlobalMaxPooling1D(), L.Dense(1)
        ),
        "nested": lambda: chain(
            L.Masking(),
            keras.Sequential([L.Dense(3), keras.Sequential([L.GRU(3, return_sequences=True)])]),
            keras.Sequential([keras.Input((None, 3)), L.Dense(2)]),
            L.GlobalAveragePooling1D(keepdims=True),
            L.Reshape((2,)),
            L.Dense(1),
        ),
        "masked_nested_functional": lambda: chain(
            L.Masking(),
            keras.Model(a := keras.Input((None, 4)), L.GRU(3, return_sequences=True)(L.Dense(3)(a))),
            L.GlobalAveragePooling1D(),
            L.Dense(1),
        ),
        "fixed_length": lambda: chain(
            L.Permute((2, 1)),
            L.MaxPooling1D(2),
            L.Reshape((3, 4)),
            L.Flatten(),
            L.RepeatVector(3),
            L.SimpleRNN(2),
            L.Dense(1),
            shape=(6, 4),
        ),
    }


def two_heads(x):
    """Layers shared by two calls, of which one waits for the other."""
    shared, out = L.SimpleRNN(3, return_sequences=True), L.Dense(3)
    first = out(shared(x))
    return head(L.Concatenate()([first[:, -1], out(shared(L.Dense(4)(first)))[:, 0]]))


def encoder_decoder(x):
    states, h, c = L.LSTM(3, return_sequences=True, return_state=True)(L.Masking()(x))
    decoded = L.LSTM(3, return_sequences=True)(states, initial_state=[h, c])
    again = L.SimpleRNN(3)(decoded, initial_state=h)
    return head(L.Add()([again, L.GRU(3)(decoded, initial_state=[c])]))


def sequence_to_sequence(reverse=False):
    """Return an encoder, whose last state is the decoder's first, and what the decoder has written so far."""
    read, written = keras.Input((None, 4)), keras.Input((None,), dtype="int32")
    _, state = L.GRU(3, return_state=True, go_backwards=True)(L.Masking()(read))
    states = L.GRU(3, return_sequences=True)(L.Embedding(6, 2, mask_zero=True)(written), initial_state=state)
    return keras.Model([written, read] if reverse else [read, written], head(states))


def both_ways(x):
    forward, backward = L.Bidirectional(L.SimpleRNN(3, return_sequences=True), merge_mode=None)(x)
    y, h, b = L.Bidirectional(L.GRU(2, return_state=True))(forward)
    return head(L.Concatenate()([y, h, b, backward[:, -1, :]]))


def merges(x):
    x = L.Masking()(x)
    a, b = L.SimpleRNN(4, return_sequences=True)(x), L.Dense(4)(x)
    pairs = [merge()([a, b]) for merge in (L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum)]
    three = L.Add()([a, b, L.Dense(4)(x)])
    return head(L.SimpleRNN(3)(L.Concatenate()([*pairs, three])))


def concatenated_masks(x):
    a = L.Masking()(x)
    return head(L.GRU(3)(L.Concatenate(axis=1)([a, L.Masking(1.0)(x)])))


def arithmetic(x):
    s = L.SimpleRNN(3, return_sequences=True)(x)
    parts = [
        s[:, -1],
        s[..., 0, :],
        ops.max(s, axis=1),
        ops.mean(s, axis=1),
        ops.sum(s, axis=1),
        ops.min(s, axis=-2),
    ]
    y = L.Concatenate()(
        [1 - parts[0], 2 * parts[1], parts[2] / 3, parts[3] + parts[4], parts[5] - parts[0] * parts[1]]
    )
    y = ops.concatenate([y, ops.maximum(parts[0], 0.1), ops.minimum(parts[1], parts[2])], axis=-1)
    z = ops.max(s, axis=1, keepdims=True)
    return head(L.Concatenate(axis=-1)([y, ops.expand_dims(parts[3], 1)[:, 0], z[:, 0, 1:]]))


def residual(x):
    x = L.Dense(3)(x)
    return head(L.GlobalMaxPooling1D()(x + L.SimpleRNN(3, return_sequences=True)(x)))


def nested_shared(x):
    inner = keras.Sequential([L.Dense(4), L.Masking(), L.SimpleRNN(4, return_sequences=True)])
    return head(inner(inner(x))[:, -1])


def nested_functional(x):
    """Return a functional model of two inputs and two outputs as a layer, called twice."""
    a, b = keras.Input((None, 4)), keras.Input((None, 4))
    states = L.SimpleRNN(3, return_sequences=True)(L.Add()([a, b]))
    inner = keras.Model([b, a], [L.Dense(4)(states), states[:, -1]])
    first, last = inner([x, L.Dense(4)(x)])
    again, end = inner([first, x])
    single = keras.Model(a, L.GRU(2)(L.Dense(3)(a)))
    return head(L.Concatenate()([last, end, L.SimpleRNN(2)(again), single(x)]))


def functional() -> dict:
    builds = (
        two_heads,
        encoder_decoder,
        both_ways,
        merges,
        concatenated_masks,
        arithmetic,
        residual,
        nested_shared,
        nested_functional,
    )
    masked = lambda x: head(L.SimpleRNN(3)(L.Embedding(6, 3, mask_zero=True)(x)))  # noqa: E731
    own_mask = lambda x: head(L.LSTM(3)(x, mask=ops.any(x != 0, axis=-1)))  # noqa: E731
    return {build.__name__: lambda build=build: graph(build) for build in builds} | {
        "two_inputs": sequence_to_sequence,
        "two_inputs_the_other_way_round": lambda: sequence_to_sequence(reverse=True),
        "functional_mask": lambda: graph(masked, (None,), "int32"),
        "own_mask": lambda: graph(own_mask),
        "fixed_functional": lambda: graph(lambda x: head(L.Flatten()(x)), (6, 4)),
        "dict_output": lambda: keras.Model(
            x := keras.Input((None, 4), name="in"), {"out": head(L.GRU(2)(x))}
        ),
    }


ARCHITECTURES = one_layer() | activations() | sequential() | functional()
