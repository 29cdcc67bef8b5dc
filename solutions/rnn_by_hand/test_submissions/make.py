"""Makes the test submissions anew: python make.py REFERENCE [NAME]..., where REFERENCE is the folder that the reference
notebook saved its models into.

`perfect` is the whole reference. Each other test submission is the reference's functions and answers, signed with the
test submission's own name and with the numbers drawn from it, and the reference's three models; then one thing in it is
wrong. The marks and the reason that the student must read are written by hand in its expected.toml.
"""

import ast
import sys
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import layers

from autograder.authoring import answer_cells, read_cells, write_notebook
from autograder.core import load_module

HERE = Path(__file__).parent
COUNTER, ONE_UNIT, HELLO = "counter.keras", "counter_one_unit.keras", "hello.keras"
SOURCE = HERE.parent.joinpath("rnn_by_hand.py").read_text(encoding="utf-8")
RUBRIC = load_module(HERE.parents[2] / "assignments" / "rnn_by_hand" / "rubric.py")
answers = partial(answer_cells, SOURCE, RUBRIC)  # cells that answer a student's own questions
IMPORTS = """import numpy as np
from scipy.optimize import least_squares

BASES = "ACGT"
"""

# The gradient without any function of its student's own, for test submissions whose mistake lies in one it builds on.
GRADIENT = """
def bit_gradient(bits, w_1, w_2, y, activation):
    q, slopes = [0.0], []
    for bit in bits:
        r = w_1 * q[-1] + w_2 * int(bit)
        q.append(ACTIVATIONS[activation](r))
        slopes.append({"identity": 1, "tanh": 1 - q[-1] ** 2, "sigmoid": q[-1] * (1 - q[-1])}[activation])
    e, sums = -2 * (y - q[-1]), [0, 0]
    for t in reversed(range(len(bits))):
        e *= slopes[t]
        sums = [sums[0] + e * q[t], sums[1] + e * int(bits[t])]
        e *= w_1
    return sums
"""

# One wrong function each, as that student wrote it; what builds on it in the reference stands on its own here.
MISTAKES = {
    "flags_from_the_new_state": """
def flag_course(sequence):
    flags, course = [0, 0, 0], []
    for base in sequence:
        if base == "G":
            flags[0] = 1
            flags[1] = max(flags[1], flags[0])
            flags[2] = max(flags[2], flags[1])
        course.append(list(flags))
    return np.array(course)
""",
    "forgotten_bias": """
def layer(W, x, q, a=np.tanh):
    return a(np.concatenate([x, q]) @ W[:7])
""",
    "weights_swapped": """
def bit_states(bits, w_1, w_2, activation):
    q = [0.0]
    for bit in bits:
        q.append(ACTIVATIONS[activation](w_2 * q[-1] + w_1 * int(bit)))
    return np.array(q)


def contributions(bits, w_1, w_2, y):
    q = [0.0]
    for bit in bits:
        q.append(w_1 * q[-1] + w_2 * int(bit))
    return np.array([-2 * (y - q[-1]) * w_1 ** (len(bits) - t) * q[t - 1] for t in range(1, len(bits) + 1)])

"""
    + GRADIENT,
    "lectures_numbers": """
def by_hand():
    return 1, 4, 17, 68, 32, 68
""",
    "slope_of_r": """
def slope(r, activation):
    r = np.asarray(r)
    return {
        "identity": np.ones_like(r), "relu": 1.0 * (r > 0), "tanh": 1 - r**2, "sigmoid": r * (1 - r),
    }[activation]

"""
    + GRADIENT,
    "new_state_in_each_copy": """
def contributions(bits, w_1, w_2, y):
    q = [0.0]
    for bit in bits:
        q.append(w_1 * q[-1] + w_2 * int(bit))
    return np.array([-2 * (y - q[-1]) * w_1 ** (len(bits) - t) * q[t] for t in range(1, len(bits) + 1)])
""",
    "last_slope_missing": """
def bit_gradient(bits, w_1, w_2, y, activation):
    q = bit_states(bits, w_1, w_2, activation)
    x = np.array([int(bit) for bit in bits])
    slopes = slope(w_1 * q[:-1] + w_2 * x, activation)
    e = np.full(len(bits), -2.0 * (y - q[-1]))
    for t in reversed(range(len(bits) - 1)):
        e[t] = e[t + 1] * w_1 * slopes[t]
    return e @ q[:-1], e @ x
""",
    "hard_coded_32": """
def bit_gradient(bits, w_1, w_2, y, activation):
    return 32, 68
""",
    "kmers_side_by_side": """
def kmer_ids(sequence, k):
    codes = [BASES.index(base) for base in sequence]
    spans = [codes[i : i + k] for i in range(0, len(codes) - k + 1, k)]
    return np.array([sum(code * 4 ** (k - 1 - i) for i, code in enumerate(span)) for span in spans])
""",
    "transposed_w_hh": """
def forward(ids, h_0, L, H, I, b_1, U, b_2):
    e, z, h = L[ids], [], [h_0]
    for step in e:
        z.append(H @ h[-1] + step @ I + b_1)
        h.append(sigmoid(z[-1]))
    h = np.array(h[1:])
    q = h @ U + b_2
    return e, np.array(z), h, q, softmax(q)
""",
    "mean_for_each_step": """
def cross_entropy(labels, y_hat):
    return np.mean([-np.log(y_hat[t, label]) for t, label in enumerate(labels)])
""",
    "sign_of_delta": """
def output_gradients(label, y_hat, h):
    delta_1 = np.eye(len(y_hat))[label] - y_hat
    return delta_1, np.outer(h, delta_1)
""",
    "slope_of_tanh_with_sigmoid": """
def errors(delta_1, U, H, h):
    delta = np.zeros_like(h)
    arriving = delta_1 @ U.T
    for t in reversed(range(len(h))):
        delta[t] = arriving * (1 - h[t] ** 2)
        arriving = delta[t] @ H.T
    return delta
""",
    "printed_formula": """
def gradient_H(errors, h_0, h):
    return h.T @ errors
""",
    "first_step_left_out": """
def gradient_H(errors, h_0, h):
    return h[:-1].T @ errors[1:]
""",
    "last_step_only": """
def input_gradients(errors, e):
    return np.outer(e[-1], errors[-1]), errors[-1]
""",
    "repeated_kmers_lost": """
def gradient_L(errors, ids, I, vocabulary):
    gradient = np.zeros((vocabulary, len(I)))
    gradient[ids] += errors @ I.T
    return gradient
""",
    "first_bias_missing": """
def letter_states(ids, W_xh, w, b):
    course = [np.tanh(W_xh[:, ids[0]])]
    for letter in ids[1:]:
        course.append(np.tanh(W_xh[:, letter] + w * course[-1] + b))
    return np.array(course)
""",
    "soft_max_overflows": """
def letter_probabilities(state, W_hy):
    scores = np.exp(W_hy @ state)
    return scores / scores.sum()
""",
    "bias_before_weight": """
def recover(W_xh, state):
    def differences(pair):
        w, b = pair
        return np.arctanh(state) - W_xh[:, 1] - w * np.tanh(W_xh[:, 0] + b) - b

    w, b = least_squares(differences, [0.5, 0.5], xtol=1e-14, ftol=1e-14, gtol=1e-14).x
    return b, w
""",
    "stacked_the_wrong_way": """
def stacked(W_hh, W_hx, b, h, x):
    return np.tanh(np.hstack([W_hh.T, W_hx]) @ np.concatenate([h, x]) + b)
""",
    "slope_on_the_columns": """
def jacobian(h, W_hh):
    return W_hh * (1 - h**2)


def jacobian_product(states, W_hh, k, t):
    product = np.eye(len(W_hh))
    for i in range(k + 1, t + 1):
        product = np.diag(1 - states[i] ** 2) @ W_hh @ product
    return product
""",
    "factors_in_the_wrong_order": """
def jacobian_product(states, W_hh, k, t):
    product = np.eye(len(W_hh))
    for i in range(k + 1, t + 1):
        product = product @ ((1 - states[i] ** 2)[:, None] * W_hh)
    return product
""",
    "no_way_back": """
def gradient_W_hh(dL_dh, states, W_hh):
    return sum(np.outer(row * (1 - new**2), old) for row, new, old in zip(dL_dh, states[1:], states))
""",
}


def perfect(folder: Path) -> None:
    """The reference's own notebook, whole."""
    (folder / "work.ipynb").unlink()
    write_notebook(folder / "rnn_by_hand.ipynb", *read_cells(SOURCE))


def guessed_concepts(folder: Path) -> None:
    """Each concept question answered with a usual mistake, the one in own words not at all."""
    write_notebook(
        folder / "work.ipynb",
        *functions(folder.name),
        *answers(folder.name, guessed=True),
    )


def keras_shapes(folder: Path) -> None:
    """The shapes as Keras has them, inputs first; the lecture multiplies from the left."""
    inputs, units, outputs = RUBRIC.sizes(folder.name)
    count = units * (inputs + units + 1) + outputs * (units + 1)
    answer = (inputs, units), (units, units), (units, outputs), (units,), (outputs,), count
    changed = functions(folder.name, f"def shapes():\n    return {answer}")
    write_notebook(folder / "work.ipynb", *changed, *answers(folder.name))


def neighbours_numbers(folder: Path) -> None:
    """The functions are the student's own, the numbers to work out with a pencil are those of `perfect`."""
    signature, *rest = functions("perfect")
    write_notebook(
        folder / "work.ipynb",
        signature.replace("perfect", folder.name),
        *rest,
        *answers("perfect"),
    )


def unsigned(folder: Path) -> None:
    """STUDENT was left as it came."""
    _, *rest = functions(folder.name)
    write_notebook(folder / "work.ipynb", "STUDENT = ...", *rest, *answers(folder.name))


def threshold_off_by_one(folder: Path) -> None:
    """The readout looks at the second flag, not at the third: yes from two G on."""
    model = keras.saving.load_model(folder / COUNTER)
    *recurrent, _, bias = model.get_weights()
    model.set_weights([*recurrent, np.array([[0.0], [10.0], [0.0]]), bias])
    model.save(folder / COUNTER)


def counter_that_fades(folder: Path) -> None:
    """A plain sigmoid with weights too small to restore a flag: right up to 8 bases, and not for long."""
    model = network(layers.SimpleRNN(3, activation="sigmoid"), layers.Dense(1, activation="sigmoid"))
    kernel, recurrent, bias, readout, _ = keras.saving.load_model(folder / COUNTER).get_weights()
    model.set_weights([1.1 * kernel, 1.1 * recurrent, 1.1 * bias, readout, np.array([-5.0])])
    model.save(folder / COUNTER)


def one_unit_cut_off(folder: Path) -> None:
    """One unit with hard_sigmoid: it can't count beyond 1."""
    model = network(layers.SimpleRNN(1, activation="hard_sigmoid"), layers.Dense(1, activation="sigmoid"))
    model.set_weights(keras.saving.load_model(folder / ONE_UNIT).get_weights())
    model.save(folder / ONE_UNIT)


def hello_without_memory(folder: Path) -> None:
    """A dense layer at each step: after both l it says the same."""
    model = network(layers.Dense(8, activation="tanh"), layers.Dense(4, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy")
    x = np.eye(4, dtype="float32")[[[0, 1, 2, 2]]]
    for _ in range(40):
        model.train_on_batch(x, np.array([[1, 2, 2, 3]]))
    model.save(folder / HELLO, include_optimizer=False)


def no_models(folder: Path) -> None:
    """The models were forgotten."""
    for name in (COUNTER, ONE_UNIT, HELLO):
        (folder / name).unlink()


TEST_SUBMISSIONS = (
    perfect, guessed_concepts, keras_shapes, neighbours_numbers, unsigned, threshold_off_by_one, counter_that_fades,
    one_unit_cut_off, hello_without_memory, no_models,
)  # fmt: skip


def main(reference: Path, *names: str) -> None:
    """Writes the test submissions named, or all."""
    made = {make.__name__: make for make in TEST_SUBMISSIONS} | dict.fromkeys(MISTAKES)
    for name, make in made.items():
        if names and name not in names:
            continue
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        for file in (COUNTER, ONE_UNIT, HELLO):
            keras.saving.load_model(reference / file, compile=False).save(
                folder / file
            )  # without the optimizer
        write_notebook(
            folder / "work.ipynb",
            *functions(name, MISTAKES.get(name, "")),
            *answers(name),
        )
        keras.utils.set_random_seed(1)
        if make:
            make(folder)
        print(name)


def functions(student: str, *changed: str) -> list[str]:
    """Cells: the signature, the imports, and each function and constant of the reference, those `changed` in place."""
    bits, w_1, w_2, y = RUBRIC.bitstring(student)
    walk = RUBRIC.Walk(bits, w_1, w_2, y)
    numbers = ", ".join(f"{value:g}" for value in (*walk.states[1:], *walk.gradient))
    inputs, units, outputs = RUBRIC.sizes(student)
    count = units * (inputs + units + 1) + outputs * (units + 1)
    answer = (units, inputs), (units, units), (outputs, units), (units,), (outputs,), count
    own = f"def by_hand():\n    return {numbers}", f"def shapes():\n    return {answer}"
    tree = ast.parse("\n".join(cell.source for cell in read_cells(SOURCE) if cell.kind == "code"))
    graded = {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
    for source in filter(str.strip, (*own, *changed)):
        graded |= {function.name: ast.unparse(function) for function in ast.parse(source).body}
    [activations] = (node for node in tree.body if ast.unparse(node).startswith("ACTIVATIONS"))
    left_out = {name for name in graded if name.startswith("draw_")}
    kept = [source for name, source in graded.items() if name not in left_out]
    return [f'STUDENT = "{student}"', IMPORTS, ast.unparse(activations), *kept]


def network(*hidden: layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((None, 4)), *hidden])


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
