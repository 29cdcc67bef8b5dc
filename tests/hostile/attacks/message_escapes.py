"""Fails with escape sequences, right-to-left marks, HTML and a spreadsheet formula in its words."""

EXPECTS = "<script>alert(1)</script>"


class Odd(Exception):
    pass


Odd.__name__ = "\x1b]0;owned\x07=1+1"


def double(x):
    print("\x1b[2J\x1b[31m100/100\u202e", "<img src=x onerror=alert(1)>")
    raise Odd('\x1b[2K\r<script>alert(1)</script>\u202e\u2066\n=HYPERLINK("http://x")\x00\ud800')
