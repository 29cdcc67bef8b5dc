"""Runs items on a Dask cluster: on each worker that would give the same marks as this process.

Only `autograder grade --dask` imports this module, since it needs `distributed`.
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import dask
from distributed import Client, KilledWorker, LocalCluster, Security, Status, Worker, WorkerPlugin, get_worker
from distributed.comm import connect

from autograder.core import COURSE_FILE, CourseError, choose_device, read_course
from autograder.grading._executors import ProcessPool, Watch, WorkerLost
from autograder.grading._grader import Grader, GraderFactory

COURSE = "AUTOGRADER_COURSE"  # environment variable of a worker: its course folder, if not at the same path
PATIENCE = 10  # seconds for a scheduler to answer
WORKER_PATIENCE = 60  # seconds for its first worker to connect
LOCAL = re.compile(r"local:([1-9]\d{0,3})")
NO_PAGES: dict[str, list] = {  # the pages of scheduler and workers need no certificate
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


def open_grader(factory: GraderFactory, watch: Watch) -> AbstractContextManager[Grader]:
    """Open a Grader on a machine that has its own copy of the course."""
    root = Path(os.environ.get(COURSE) or factory.assignment.root)
    if not (root / COURSE_FILE).is_file():
        raise CourseError(f"no {COURSE_FILE} in {root}; set {COURSE} to where the course lies there")
    if factory.device == "gpu":
        choose_device("gpu")
    return factory.relocate(read_course(root)).open(watch)


class GradingPlugin(WorkerPlugin):
    """Starts one grading process on every worker of a cluster, late joiners included.

    Dask's own threads run no items: a sandbox would end with the thread that started it. A worker whose fingerprint
    is the grader's offers the resource `name`, for one task at a time; for others, `incompatibility` says why not.
    """

    def __init__(self, name: str, factory: GraderFactory, fingerprint: dict[str, str]) -> None:
        self.name, self.incompatibility, self._factory, self._fingerprint = name, "", factory, fingerprint

    async def setup(self, worker: Worker) -> None:
        """Start the process, and compare its fingerprint with the grader's."""
        self.pool = ProcessPool(1, partial(open_grader, self._factory), patience=self._factory.patience)
        try:
            there = await asyncio.wrap_future(self.pool.submit(Grader.fingerprint))
            self.incompatibility = describe_difference(self._fingerprint, there)
        except Exception as error:
            self.incompatibility = f"{error}".rstrip(".")
        if self.incompatibility:
            await asyncio.to_thread(self.pool.close)
            return
        await worker.set_resources(**{self.name: 1})
        worker.status = Status.paused  # when it runs again, it gets the tasks that wait for such a worker
        worker.status = Status.running

    async def teardown(self, worker: Worker) -> None:
        """End the process."""
        await asyncio.to_thread(self.pool.close)


class DaskExecutor:
    """Runs tasks on the workers of a cluster that have the plugin `name`."""

    def __init__(self, client: Client, name: str) -> None:
        self._client, self._name = client, name

    @property
    def max_in_flight(self) -> int:
        """The number of tasks that keep all workers busy."""
        return 2 * max(1, len(self._client.nthreads()))

    def submit(self, task: Callable, *arguments: object) -> Future:
        """Return a Future of `task(grader, *arguments)`. It may raise WorkerLost or CourseError."""
        future: Future = Future()
        resources = {self._name: 1}
        remote = self._client.submit(
            run_on_worker, self._name, task, arguments, resources=resources, pure=False
        )
        remote.add_done_callback(partial(copy_result, future))
        return future


@contextmanager
def open_dask_executor(
    address: str, factory: GraderFactory, grader: Grader, notify: Watch
) -> Iterator[DaskExecutor]:
    """Open an executor on the Dask cluster at `address`; "local:4" starts a cluster of four processes here.

    A worker whose marks would rest on another engine, data, versions or isolation than those of `grader` is left
    out, and `notify` is called with a line about it. Raises CourseError if no scheduler answers or no worker is left.
    """
    name = f"autograder-{uuid4().hex}"
    if not LOCAL.fullmatch(address) and not address.startswith("tls://"):
        notify(
            f"{address} is not encrypted: whoever reaches its port runs code as you and reads submissions. "
            "Use TLS (tls://...), see docs/cluster.md."
        )
    with (
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"}),
        connect_client(address) as client,
    ):
        try:
            client.wait_for_workers(1, WORKER_PATIENCE)
            client.register_plugin(GradingPlugin(name, factory, grader.fingerprint()), name)
        except TimeoutError:
            raise CourseError(f"The Dask cluster at {address} has no workers.") from None
        except Exception as error:  # of a worker that can't even unpickle the plugin
            raise CourseError(f"The Dask cluster at {address} can't grade: {error}") from None
        try:
            refused = find_incompatible_workers(client, name)
            if len(refused) == len(client.nthreads()):
                raise CourseError(f"No worker of the cluster can grade: {next(iter(refused.values()), '')}")
            for line in refused.values():
                notify(line)
            yield DaskExecutor(client, name)
            for worker, line in find_incompatible_workers(client, name).items():
                if worker not in refused:
                    notify(line)
        finally:
            client.unregister_worker_plugin(name)


@contextmanager
def connect_client(address: str) -> Iterator[Client]:
    """Open a client of the cluster; a cluster that is started here ends with it.

    Who can connect to a cluster runs code as the person who started it, and every user of this machine reaches its
    ports. A cluster that is started here therefore demands a certificate that is made for it and stays in memory.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # warnings would break the live table
    if local := LOCAL.fullmatch(address):
        with (
            dask.config.set(NO_PAGES),
            LocalCluster(
                protocol="tls://", host="127.0.0.1", security=create_security(), n_workers=int(local[1]),
                threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):  # fmt: skip
            yield client
        return
    try:
        asyncio.run(asyncio.wait_for(try_to_connect(address), PATIENCE))
    except Exception as error:
        advice = "name its scheduler, as in tcp://10.0.0.5:8786, or local:2"
        why = str(error) or f"no answer in {PATIENCE} s"
        raise CourseError(f"No Dask scheduler answers at {address!r} ({why}): {advice}.") from None
    with Client(address, timeout=PATIENCE, set_as_default=False) as client:
        yield client


def create_security() -> Security:
    """Return new credentials for a cluster of this process. Raises CourseError without `cryptography`."""
    try:
        return Security.temporary()
    except ImportError:
        advice = "pip install -r requirements.txt, or use --jobs"
        raise CourseError(f"--dask local:N needs the package cryptography, for TLS: {advice}.") from None


async def try_to_connect(address: str) -> None:
    """Raise what keeps a client from connecting; a Client itself would try for longer, and end noisily."""
    comm = await connect(address, timeout=PATIENCE, **Security().get_connection_args("client"))
    await comm.close()


def find_incompatible_workers(client: Client, name: str) -> dict[str, str]:
    """Return a line for each worker that gets no submission, by its address."""
    reasons = client.run(describe_incompatibility, name, on_error="ignore")
    return {worker: f"The worker at {worker} is left out: {why}." for worker, why in reasons.items() if why}


def describe_incompatibility(name: str, dask_worker: Worker) -> str:
    """Return why the worker that runs this gets no submission; empty if it gets some."""
    plugin = dask_worker.plugins.get(name)
    return plugin.incompatibility if plugin else "it has not been set up"


def describe_difference(here: dict[str, str], there: dict[str, str]) -> str:
    """Return how two fingerprints differ; empty if marks would be the same."""
    names = [name for name in dict.fromkeys([*here, *there]) if here.get(name) != there.get(name)]
    if names == ["basis"]:
        return "its autograder is of another version"
    return "; ".join(
        f"{name} is {there.get(name, 'absent')} there and {here.get(name, 'absent')} here"
        for name in names
        if name != "basis"
    )


def run_on_worker(name: str, task: Callable, arguments: tuple) -> object:
    """Run a task in the grading process of this worker."""
    return get_worker().plugins[name].pool.submit(task, *arguments).result()


def copy_result(future: Future, remote: Future) -> None:
    """Copy the result or the exception of a Future of Dask's."""
    try:
        future.set_result(remote.result())
    except KilledWorker:
        future.set_exception(WorkerLost("each worker of the cluster that ran it was killed"))
    except (CancelledError, asyncio.CancelledError):
        advice = "The cluster ended; grade again, and it goes on where it was."
        future.set_exception(CourseError(advice))
    except Exception as error:
        future.set_exception(error)
