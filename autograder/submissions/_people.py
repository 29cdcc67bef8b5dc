"""Finding people of a class: by a platform's id, an account, a name, or what a person typed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autograder.core import names_student, split_tokens
from autograder.submissions._raw import RawSubmission, Submitter


@dataclass(frozen=True)
class People:
    """The people of a table; nobody if there is none."""

    people: tuple[Submitter, ...] = ()

    def find(self, origin: Submitter) -> Submitter | None:
        """Return the one person of this id where the table has the platform's; else of this address, login, name."""
        if origin.platform == "gradescope":  # whose ids are of submissions, which a group shares
            named = (
                person for person in self.people if person.id == origin.id and is_similar(person, origin)
            )
            return self.by_account(origin) or only_one(named) or self.by_name(origin)
        if origin.id and any(person.platform == origin.platform and person.id for person in self.people):
            found = only_one(person for person in self.people if person.id == origin.id)
            return found if found and (origin.platform != "moodle" or is_similar(found, origin)) else None
        return self.by_account(origin) or self.by_name(origin)

    def by_account(self, origin: Submitter) -> Submitter | None:
        """Return the one person of this address, else of this login, perhaps without zeros in front."""
        for what in ("email", "login"):
            wanted = getattr(origin, what).casefold()
            named = [
                person for person in self.people if wanted and getattr(person, what).casefold() == wanted
            ]
            if not named and wanted.isdecimal():
                short = wanted.lstrip("0")
                named = [person for person in self.people if getattr(person, what).lstrip("0") == short]
            if len(named) == 1:
                return named[0]
        return None

    def by_name(self, origin: Submitter) -> Submitter | None:
        """Return the one person of this name, in any order of its words."""
        name = sorted(split_tokens(origin.name))
        named = (person for person in self.people if sorted(split_tokens(person.name)) == name)
        return only_one(named) if len(name) > 1 else None


def is_similar(person: Submitter, origin: Submitter) -> bool:
    """Return True if somebody of the same id may be meant: in Moodle a team's number may be a participant's as well."""
    words, others = set(split_tokens(person.name)), set(split_tokens(origin.name))
    return not words or not others or bool(words & others)


def only_one(people: Iterable[Submitter]) -> Submitter | None:
    """Return the one person among them; None where there are several."""
    found = list(people)
    return found[0] if len(found) == 1 else None


def find_submissions(who: str, submissions: Sequence[RawSubmission]) -> list[RawSubmission]:
    """Return the submissions that a person means by a key, id, login, address or name, else by some of the words."""
    wanted, spelled = who.strip().casefold(), " ".join(split_tokens(who))
    by_account, by_key, by_name = [], [], []
    for raw in submissions:
        accounts = [raw.origin.id, raw.origin.login, raw.origin.email]
        names = {raw.student, *accounts, raw.origin.name} - {""}
        if wanted in map(str.casefold, filter(None, accounts)):  # before what students may call themselves
            by_account.append(raw)
        if wanted and wanted == raw.student.casefold():
            by_key.append(raw)
        if who in names or spelled and spelled in (" ".join(split_tokens(name)) for name in names):
            by_name.append(raw)
    if found := by_account or by_key or by_name:
        return found
    return [
        raw
        for raw in submissions
        if names_student(
            who, frozenset(split_tokens(raw.student)) if raw.words is None else raw.words, raw.shared
        )
    ]
