"""Templates, style and script of the pages: whatever is filled in is escaped and can't turn the text around it."""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

# what reorders the text after it, and controls that a parser would replace; tab and line feed stay
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def render(template: str, **values: object) -> Markup:
    """Return a template of this folder with these values."""
    return Markup(environment().get_template(template).render(**values))


@cache  # compiling the templates takes longer than filling them in
def environment() -> Environment:
    """Where templates come from, and how each value that is filled in is cleaned and escaped."""
    return Environment(
        loader=PackageLoader("autograder.reports", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=printable,
        auto_reload=False,
    )


def printable(value: object) -> object:
    """Return a text without controls and without what turns the direction of the text around it; all else as it is."""
    return UNPRINTABLE.sub("", value) if isinstance(value, str) and not isinstance(value, Markup) else value


def asset(*names: str) -> Markup:
    """Style sheets or scripts of this folder, one after the other."""
    return Markup("".join(files(__package__).joinpath(name).read_text(encoding="utf-8") for name in names))


def content_policy(style: str, script: str = "", frames: bool = False) -> str:
    """Return a content security policy that allows this style and script and nothing else, from anywhere."""
    rules = ["default-src 'none'", f"style-src {digest(style)}"]
    rules += [f"script-src {digest(script)}"] if script else []
    rules += ["frame-src 'self' file:"] if frames else []
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def digest(text: str) -> str:
    """Return the SHA-256 by which a policy names an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
