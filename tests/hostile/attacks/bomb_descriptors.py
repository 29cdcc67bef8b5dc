"""Opens files and never closes them."""

EXPECTS = "Too many open files"


def double(x):
    kept = []
    while True:
        kept.append(open("/dev/null"))
