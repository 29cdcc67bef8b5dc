"""A time is taken where it can be read in one way only."""

from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.platforms.dates import moment

CET = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    "text, zone, expected",
    [
        ("Friday, 5 March 2027, 11:58 PM", CET, "2027-03-05T23:58:00+01:00"),
        ("Friday, 5 March 2027, 11:58 PM", None, ""),
        ("2027-03-05 23:58:01 -0700", CET, "2027-03-05T23:58:01-07:00"),
        ("2027-03-05T06:58:01.123456789Z", None, "2027-03-05T06:58:01+00:00"),
        ("2015-02-02 14:58:23.948203 America/Los_Angeles", None, "2015-02-02T14:58:23-08:00"),
        ("2015-02-03 14:58:23 UTC", CET, "2015-02-03T14:58:23+00:00"),
        ("13/04/2027 10:00", UTC, "2027-04-13T10:00:00+00:00"),
        ("03/04/2027 10:00", UTC, ""),
        ("04/04/2027 10:00", UTC, "2027-04-04T10:00:00+00:00"),
        ("5 March, 11:58 PM", UTC, ""),
        ("5 March 2027", UTC, ""),
        ("-", UTC, ""),
        ("", UTC, ""),
        ("2027-03-05 10:00 XYZ", UTC, ""),
        ("2027-03-05 10:00 ../../etc/passwd", UTC, ""),
        ("9" * 200, UTC, ""),
        ("Freitag, 5. März 2027, 23:58", UTC, ""),
    ],
)
def test_a_time_is_taken_where_it_can_be_read_in_one_way(text, zone, expected):
    assert moment(text, zone) == expected


@example("0A-24")  # a zone of 24 hours
@given(st.text(max_size=40) | st.text(st.sampled_from("0123456789-/: TZapm+,."), max_size=30))
def test_no_text_breaks_the_reader(text):
    assert isinstance(moment(text, UTC), str)
