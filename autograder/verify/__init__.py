"""Proof of an assignment: its rooms are in order, its specimens earn what is known, its items can be lost."""

from autograder.verify.bench import Bench as Bench
from autograder.verify.bench import at as at
from autograder.verify.bench import benches as benches
from autograder.verify.proof import Finding as Finding
from autograder.verify.proof import Proof as Proof
from autograder.verify.proof import verify as verify
from autograder.verify.rooms import check_course as check_course
from autograder.verify.tables import proof_table as proof_table
from autograder.verify.tables import region_table as region_table
