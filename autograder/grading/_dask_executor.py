"""A Dask cluster as workers: each of its processes that grades as this one does runs items, one submission at a time.

Only `autograder grade --dask` imports this file: it needs `distributed`.
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import dask
from distributed import Client, KilledWorker, LocalCluster, Security, Status, Worker, WorkerPlugin, get_worker
from distributed.comm import connect

from autograder.core import COURSE_FILE, CourseError, choose_device, read_course
from autograder.grading._executors import ProcessPool, WorkerLost
from autograder.grading._grader import Grader, GraderFactory

COURSE = (
    "AUTOGRADER_COURSE"  # in a worker's environment: where the course lies there, if not at the same path
)
PATIENCE, WORKERS_PATIENCE = (
    10,
    60,
)  # seconds that a scheduler may take to answer, and its first worker to come
LOCAL = re.compile(r"local:([1-9]\d{0,3})")
NO_PAGES = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}  # they need no certificate


@dataclass(frozen=True)
class CopyOpening:
    """Opens the Grader of a machine that has its own copy of the course."""

    setup: GraderFactory

    @contextmanager
    def __call__(self, watch: Callable[[str], None]) -> Iterator[Grader]:
        root = Path(os.environ.get(COURSE) or self.setup.assignment.root)
        if not (root / COURSE_FILE).is_file():
            raise CourseError(f"no {COURSE_FILE} in {root}; set {COURSE} to where the course lies there")
        if self.setup.device == "gpu":
            choose_device("gpu")
        with self.setup.relocate(read_course(root)).open(watch) as grader:
            yield grader


class GradingPlugin(WorkerPlugin):
    """What stands on each worker of a cluster, also on one that joins later: a process of its own for the items.

    The threads of Dask start no sandbox, which would end with them. refusal: why this worker gets no submission;
    empty for one that does: it offers the resource `name`, for one task at a time.
    """

    def __init__(self, name: str, setup: GraderFactory, fingerprint: dict[str, str]):
        self.name, self.refusal, self._setup, self._standing = name, "", setup, fingerprint

    async def setup(self, worker: Worker) -> None:
        self.crew = ProcessPool(1, CopyOpening(self._setup), lambda line: None, self._setup.patience)
        try:
            there = await asyncio.wrap_future(self.crew.submit(Grader.fingerprint))
            self.refusal = describe_difference(self._standing, there)
        except Exception as error:
            self.refusal = f"{error}".rstrip(".")
        if self.refusal:
            return await asyncio.to_thread(self.crew.end)
        await worker.set_resources(**{self.name: 1})
        worker.status = Status.paused  # back again, it is given what has waited for such a worker
        worker.status = Status.running
        return None

    async def teardown(self, worker: Worker) -> None:
        await asyncio.to_thread(self.crew.end)


class DaskExecutor:
    """The workers of a cluster that are at their posts."""

    def __init__(self, client: Client, name: str):
        self._client, self._name = client, name

    @property
    def max_in_flight(self) -> int:
        return 2 * max(1, len(self._client.nthreads()))

    def submit(self, task: Callable, *arguments) -> Future:
        given = Future()
        asked = self._client.submit(
            run_on_worker, self._name, task, arguments, resources={self._name: 1}, pure=False
        )
        asked.add_done_callback(partial(pass_result, given))
        return given


@contextmanager
def dask_executor(
    address: str, setup: GraderFactory, grader: Grader, told: Callable[[str], None]
) -> Iterator[DaskExecutor]:
    """Return the workers of the Dask cluster at `address`; "local:4" starts one of four processes here.

    A worker whose marks would rest on another engine, data, versions or isolation than those of `grader` is left
    out, and `told` so in a line. Raises CourseError, in a line, where no cluster answers or no worker is left.
    """
    name = f"autograder-{uuid4().hex}"
    if not LOCAL.fullmatch(address) and not address.startswith("tls://"):
        told(
            f"{address} is not encrypted: whoever reaches its port runs code as you and reads submissions. "
            "Use TLS (tls://...), see docs/cluster.md."
        )
    with (
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"}),
        connect_client(address) as client,
    ):
        try:
            client.wait_for_workers(1, WORKERS_PATIENCE)
            client.register_plugin(GradingPlugin(name, setup, grader.fingerprint()), name)
        except TimeoutError:
            raise CourseError(f"The Dask cluster at {address} has no workers.") from None
        except Exception as error:  # of a worker that can't even read what it is sent
            raise CourseError(f"The Dask cluster at {address} can't grade: {error}") from None
        try:
            refused = incompatible_workers(client, name)
            if len(refused) == len(client.nthreads()):
                raise CourseError(f"No worker of the cluster can grade: {next(iter(refused.values()), '')}")
            for line in refused.values():
                told(line)
            yield DaskExecutor(client, name)
            for line in (
                line for one, line in incompatible_workers(client, name).items() if one not in refused
            ):
                told(line)
        finally:
            client.unregister_worker_plugin(name)


@contextmanager
def connect_client(address: str) -> Iterator[Client]:
    """Return a client of the cluster; one that is started here ends with it.

    Who can connect to a cluster runs code as the one who started it, and every user of this machine reaches its
    ports. One that is started here therefore asks for a certificate that is made for it and never leaves memory.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its warnings would tear the live table
    if here := LOCAL.fullmatch(address):
        with (
            dask.config.set(NO_PAGES),
            LocalCluster(
                protocol="tls://",
                host="127.0.0.1",
                security=temporary_security(),
                n_workers=int(here[1]),
                threads_per_worker=1,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            ) as started,
            Client(started, set_as_default=False) as client,
        ):
            yield client
        return
    try:
        asyncio.run(asyncio.wait_for(try_to_reach(address), PATIENCE))
    except Exception as error:
        advice = "name its scheduler, as in tcp://10.0.0.5:8786, or local:2"
        why = str(error) or f"nothing came in {PATIENCE} s"
        raise CourseError(f"No Dask scheduler answers at {address!r} ({why}): {advice}.") from None
    with Client(address, timeout=PATIENCE, set_as_default=False) as client:
        yield client


def temporary_security() -> Security:
    """Return fresh credentials for a cluster of this process. Raises CourseError where they can't be made."""
    try:
        return Security.temporary()
    except ImportError:
        advice = "pip install -r requirements.txt, or use --jobs"
        raise CourseError(f"--dask local:N needs the package cryptography, for TLS: {advice}.") from None


async def try_to_reach(address: str) -> None:
    """Raise what is in the way of a client, which itself would try for longer, and end noisily."""
    comm = await connect(address, timeout=PATIENCE, **Security().get_connection_args("client"))
    await comm.close()


def incompatible_workers(client: Client, name: str) -> dict[str, str]:
    """Return a line for each worker that gets no submission, by its address."""
    found = client.run(why_incompatible, name, on_error="ignore")
    return {one: f"The worker at {one} is left out: {why}." for one, why in found.items() if why}


def why_incompatible(name: str, dask_worker: Worker) -> str:
    """Why the worker that runs this gets no submission."""
    post = dask_worker.plugins.get(name)
    return post.refusal if post else "it has not been set up"


def describe_difference(here: dict[str, str], there: dict[str, str]) -> str:
    """Return what a worker has that is another than here; empty where marks would come out the same."""
    differs = [
        f"{what} is {there.get(what, 'absent')} there and {here.get(what, 'absent')} here"
        for what in dict.fromkeys([*here, *there])
        if here.get(what) != there.get(what) and what != "basis"
    ]
    if not differs and here != there:
        return "its autograder is of another version"
    return "; ".join(differs)


def run_on_worker(name: str, task: Callable, arguments: tuple):
    """Run a task in the process that stands ready on this worker."""
    return get_worker().plugins[name].crew.submit(task, *arguments).result()


def pass_result(given: Future, asked) -> None:
    """Pass on what came of a task."""
    try:
        given.set_result(asked.result())
    except KilledWorker:
        given.set_exception(WorkerLost("each worker of the cluster that ran it was killed"))
    except (CancelledError, asyncio.CancelledError):
        said = "The cluster ended; grade again, and it goes on where it was."
        given.set_exception(CourseError(said))
    except Exception as error:
        given.set_exception(error)
