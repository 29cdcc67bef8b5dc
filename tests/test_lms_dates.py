"""A time is taken where it can be read in one way only."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.lms._dates import parse_time
from autograder.lms._months import LANGUAGES, fold_text

BERLIN = ZoneInfo("Europe/Berlin")
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
        ("Freitag, 5. März 2027, 23:58", UTC, "2027-03-05T23:58:00+00:00"),
        ("Sonntag, 31. Oktober 2027, 02:30", BERLIN, "2027-10-31T02:30:00+02:00"),  # the first of two
        ("Sunday, 31 October 2027, 7:50 PM", BERLIN, "2027-10-31T19:50:00+01:00"),
        ("Saturday, 30 October 2027, 7:50 PM", BERLIN, "2027-10-30T19:50:00+02:00"),
        ("viernes, 5 de marzo de 2027, 11:58 p. m.", UTC, "2027-03-05T23:58:00+00:00"),
        ("viernes, 5 de marzo de 2027, 12:08 a. m.", UTC, "2027-03-05T00:08:00+00:00"),
        ("viernes, 5 de marzo de 2027, 11:58 de la noche", UTC, ""),
        ("vendredi 5 mars 2027 à 23h58", UTC, "2027-03-05T23:58:00+00:00"),
        ("sexta-feira, 5 de março de 2027 às 23:58", UTC, "2027-03-05T23:58:00+00:00"),
        ("2027年3月5日 星期五 下午 11:58", UTC, "2027-03-05T23:58:00+00:00"),
        ("2027年 03月 5日(金曜日) 23:58", UTC, "2027-03-05T23:58:00+00:00"),
        ("2027년 3월 5일 금요일 오후 11:58", UTC, "2027-03-05T23:58:00+00:00"),
        ("2027年3月5日 星期五 凌晨 1:58", UTC, ""),
        ("2027. március 5., péntek, 23:58", UTC, "2027-03-05T23:58:00+00:00"),
        ("Παρασκευή, 5 Μαρτίου 2027, 11:58 μμ", UTC, "2027-03-05T23:58:00+00:00"),
        ("الجمعة، ٥ March ٢٠٢٧, 23:58", UTC, ""),
        ("Freitag, 5. März oder Mai 2027, 23:58", UTC, ""),
        ("Freitag, 35. März 2027, 23:58", UTC, ""),
        ("5 listopada 2027, 10:00", UTC, ""),  # November in Polish, October in Croatian
        ("piątek, 5 listopada 2027, 10:00", UTC, "2027-11-05T10:00:00+00:00"),
        ("utorak, 5 listopada 2027, 10:00", UTC, "2027-10-05T10:00:00+00:00"),
    ],
)
def test_a_time_is_taken_where_it_can_be_read_in_one_way(text, zone, expected):
    assert parse_time(text, zone) == expected


@example("0A-24")  # a zone of 24 hours
@given(st.text(max_size=40) | st.text(st.sampled_from("0123456789-/: TZapm+,."), max_size=30))
def test_no_text_breaks_the_reader(text):
    assert isinstance(parse_time(text, UTC), str)


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"hr", "pl"}))
def test_every_month_of_a_language_is_read_as_babel_writes_it(language):
    dates = pytest.importorskip("babel.dates")
    for month in range(1, 13):
        time = datetime(2027, month, 9, 17, 5, tzinfo=UTC)
        written = dates.format_datetime(time, "EEEE, d MMMM y, H:mm", locale=language)
        assert parse_time(written, UTC) == time.isoformat()


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_names_of_months_are_twelve_and_clash_in_no_other_month(language):
    assert len({fold_text(name) for name in LANGUAGES[language]}) == 12
    for month, name in enumerate(LANGUAGES[language], start=1):
        clash = name == "listopada"
        expected = "" if clash else f"2027-{month:02}-09T17:05:00+00:00"
        assert parse_time(f"9. {name} 2027, 17:05", UTC) == expected
