"""What every package uses: the course, identities, errors, CSV tables, hashes, private files."""

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
    Table,
    csv_text,
    escape_formula,
    parse_number,
    read_sheet,
    read_table,
    restore_identifier,
    unescape_formula,
)
from autograder.core._devices import DeviceError, choose_device, probe_tensorflow
from autograder.core._errors import Failure, NeedsReview, StudentError, sanitize
from autograder.core._files import write_atomically
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
)

__all__ = [
    "Assignment",
    "COURSE_FILE",
    "Course",
    "CourseError",
    "DeviceError",
    "Extension",
    "Failure",
    "Late",
    "NeedsReview",
    "Sheet",
    "Signature",
    "StudentError",
    "Table",
    "cache_by_value",
    "choose_device",
    "csv_text",
    "digest",
    "escape_formula",
    "exposure_warning",
    "find_course",
    "is_exposed",
    "is_guessable",
    "item_digests",
    "load_module",
    "make_private_folder",
    "names_student",
    "own",
    "parse_number",
    "probe_tensorflow",
    "read_course",
    "read_sheet",
    "read_signature",
    "read_table",
    "restore_identifier",
    "sanitize",
    "signature_text",
    "split_tokens",
    "unescape_formula",
    "unknown_name",
    "without_accents",
    "write_atomically",
]
