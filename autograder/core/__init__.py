"""core"""

from autograder.core._caching import remembered
from autograder.core._course import (
    COURSE_FILE,
    Assignment,
    Course,
    CourseError,
    Extension,
    Late,
    find_course,
    load_module,
    read_course,
    unknown,
)
from autograder.core._csv import Sheet, account, cell, number, read_sheet, records, unmasked
from autograder.core._devices import DeviceError, choose, look
from autograder.core._errors import Claim, Failure, Printed, Remark, Undecided, plain
from autograder.core._fingerprint import digest, item_codes
from autograder.core._identity import (
    Signature,
    is_same,
    own,
    read_signature,
    text_of,
    tokens,
    without_accents,
)
from autograder.core._private_files import (
    exposure,
    is_exposed,
    is_guessable,
    make_private_folder,
    write_private,
)

__all__ = [
    "Assignment",
    "COURSE_FILE",
    "Claim",
    "Course",
    "CourseError",
    "DeviceError",
    "Extension",
    "Failure",
    "Late",
    "Printed",
    "Remark",
    "Sheet",
    "Signature",
    "Undecided",
    "account",
    "cell",
    "choose",
    "digest",
    "exposure",
    "find_course",
    "is_exposed",
    "is_guessable",
    "is_same",
    "item_codes",
    "load_module",
    "look",
    "make_private_folder",
    "number",
    "own",
    "plain",
    "read_course",
    "read_sheet",
    "read_signature",
    "records",
    "remembered",
    "text_of",
    "tokens",
    "unknown",
    "unmasked",
    "without_accents",
    "write_private",
]
