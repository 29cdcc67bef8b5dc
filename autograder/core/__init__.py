"""core"""

from autograder.core._caching import cache_by_value
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
    unknown_name,
)
from autograder.core._csv import (
    Sheet,
    escape_formula,
    parse_number,
    read_sheet,
    read_table,
    restore_identifier,
    unescape_formula,
)
from autograder.core._devices import DeviceError, choose_device, probe_tensorflow
from autograder.core._errors import Failure, NeedsReview, Printed, Remark, StudentError, sanitize
from autograder.core._fingerprint import digest, item_digests
from autograder.core._identity import (
    Signature,
    names_student,
    own,
    read_signature,
    signature_text,
    split_tokens,
    without_accents,
)
from autograder.core._private_files import (
    exposure_warning,
    is_exposed,
    is_guessable,
    make_private_folder,
    write_private,
)

__all__ = [
    "Assignment",
    "COURSE_FILE",
    "StudentError",
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
    "NeedsReview",
    "restore_identifier",
    "escape_formula",
    "choose_device",
    "digest",
    "exposure_warning",
    "find_course",
    "is_exposed",
    "is_guessable",
    "names_student",
    "item_digests",
    "load_module",
    "probe_tensorflow",
    "make_private_folder",
    "parse_number",
    "own",
    "sanitize",
    "read_course",
    "read_sheet",
    "read_signature",
    "read_table",
    "cache_by_value",
    "signature_text",
    "split_tokens",
    "unknown_name",
    "unescape_formula",
    "without_accents",
    "write_private",
]
