"""The table that a person watches while a class is graded."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich import box
from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from autograder.rubric import Report


@dataclass
class Progress:
    """How far the grading of `total` submissions is: counts, the slowest one, and how long the rest will take.

    clock: seconds, as `time.monotonic` gives them.
    """

    total: int
    clock: Callable[[], float] = time.monotonic
    now: str = ""  # what is being done
    done: int = 0
    kept: int = 0  # of these, the ones of which no item had to run
    failed: int = 0  # the ones that earned nothing
    waiting: int = 0  # the ones that need a person
    items: int = 0  # how many were run now
    slowest: tuple[float, str] = (0.0, "")
    begun: float = field(default=0.0, init=False)  # when it started

    def __post_init__(self) -> None:
        self.begun = self.clock()

    def watch(self, said: str) -> None:
        """Take a line on what is being done."""
        self.now = said

    def add(self, report: Report, ran: int, seconds: float) -> None:
        """Count one more report; ran: how many of its items were run now, seconds: how long they took."""
        self.done += 1
        self.items += ran
        self.kept += not ran
        self.failed += not report.by_items
        self.waiting += report.status == "needs a person"
        if ran:
            self.slowest = max(self.slowest, (seconds, report.student))

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take if it is like what has run so far; None while nothing has run.

        By the clock, so that it holds for any number of workers; what was kept took no time to speak of.
        """
        ran = self.done - self.kept
        return (self.clock() - self.begun) / ran * (self.total - self.done) if ran else None

    def __rich__(self) -> Table:
        table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, expand=False)
        left = "–" if self.left is None and self.done < self.total else clock_time(self.left or 0)
        seconds, student = self.slowest
        columns: dict[str, RenderableType] = {
            "": ProgressBar(self.total or 1, self.done, width=20),
            "done": Text(f"{self.done}/{self.total}"),
            "kept": Text(str(self.kept)),
            "failed": Text(str(self.failed), style="red" if self.failed else ""),
            "needs a person": Text(str(self.waiting), style="bold red" if self.waiting else ""),
            "left": Text(left),
            "slowest": Text(
                f"{seconds:.1f} s {student}" if student else "–", overflow="ellipsis", no_wrap=True
            ),
        }
        for name in columns:
            table.add_column(name, no_wrap=True)
        table.add_row(*columns.values())
        table.caption = Text(self.now, overflow="ellipsis", no_wrap=True, style="dim")
        table.caption_justify = "left"
        return table


def clock_time(seconds: float) -> str:
    """ "0:07", "12:30", "1:02:03"."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
