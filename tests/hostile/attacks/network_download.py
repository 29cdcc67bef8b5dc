"""Has Keras download a file, as loading a model of some configs would."""

import keras

EXPECTS = "double stopped with"


def double(x):
    return len(keras.utils.get_file("weights", "https://example.com/weights"))
