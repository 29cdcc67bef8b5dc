"""What a child may do: resource limits, Landlock for files, seccomp for system calls, namespaces around the server.

Each layer alone leaves a hole; together they are "threads yes, processes no; read Python, write one folder".
`probe` says which of them this machine has; student code is refused where too few hold.
"""

import contextlib
import ctypes
import errno
import os
import platform
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.sandbox._visible_paths import VisiblePaths, visible_paths

NOBODY = 65534
TMP_BYTES, SHM_BYTES = 512 * 2**20, 16 * 2**20
CLONE_THREAD = 0x00010000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
IOCTLS = {  # of any file; the first two put characters into the terminal, the others have a signal sent to anyone
    "TIOCSTI": 0x5412, "TIOCLINUX": 0x541C, "FIOSETOWN": 0x8901, "SIOCSPGRP": 0x8902, "FIOASYNC": 0x5452,
}  # fmt: skip
FCNTLS = {
    "F_SETOWN": 8,
    "F_SETSIG": 10,
    "F_SETOWN_EX": 15,
}  # who is sent which signal when a file can be read

PROCESSES = "fork vfork execve execveat ptrace process_vm_readv process_vm_writev process_madvise kcmp"
SIGNALS = "tkill pidfd_open pidfd_getfd pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo process_mrelease"
NETWORK = "socket connect bind listen accept accept4 io_uring_setup io_uring_enter io_uring_register"
MEMORY = "memfd_create memfd_secret shmget shmat shmctl msgget msgsnd msgctl semget semop semctl mq_open"
IDENTITY = (
    "setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset keyctl add_key "
    "request_key unshare setns"
)
SYSTEM = (
    "mount umount2 pivot_root chroot mount_setattr open_tree move_mount fsopen fsconfig fsmount fspick mknod "
    "mknodat open_by_handle_at name_to_handle_at fanotify_init bpf perf_event_open userfaultfd kexec_load "
    "kexec_file_load init_module finit_module delete_module modify_ldt personality quotactl quotactl_fd reboot "
    "swapon swapoff syslog acct iopl ioperm adjtimex clock_adjtime settimeofday clock_settime sethostname "
    "setdomainname vhangup lookup_dcookie nfsservctl uselib ustat sysfs move_pages migrate_pages setpriority "
    "sched_setscheduler sched_setattr sched_setparam ioprio_set"
)
FILE_MARKS = (  # Landlock does not cover these; needed where other people's files are in sight
    "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat truncate "
    "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr setxattrat removexattrat"
)


READABLE = (
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/sys/devices/system/cpu",
    "/dev/urandom",
)


@dataclass(frozen=True)
class Limits:
    """What may be used: seconds on the clock by a call, of processor by a child, bytes above what the server holds.

    processor: bounds what goes on between calls; a call in which it is used up is made again in a fresh child.
    """

    seconds: float = 60.0
    processor: float = 1200.0
    memory: int = 4 * 2**30  # of address space; TensorFlow's threads alone reserve 1 GiB
    file: int = 32 * 2**20  # times open files: what deleted files may hide from a look at the folder, 4 GiB
    open_files: int = 128
    reply: int = 64 * 2**20


@dataclass(frozen=True)
class Isolation:
    """Which layers hold on this machine: namespaces (bubblewrap), Landlock (its ABI, 0 for none), seccomp."""

    namespaces: bool
    landlock: int
    seccomp: bool

    @property
    def holds(self) -> bool:
        """Whether student code may run: no processes, and no sight of the grader's files."""
        return self.seccomp and (self.namespaces or self.landlock > 0)

    def __str__(self) -> str:
        layers = {
            "namespaces": self.namespaces,
            f"Landlock {self.landlock}": self.landlock,
            "seccomp": self.seccomp,
        }
        return ", ".join(name for name, there in layers.items() if there) or "none"


NO_ISOLATION = Isolation(namespaces=False, landlock=0, seccomp=False)


def probe() -> Isolation:
    """Return what this machine has, each layer tried and not guessed."""
    if platform.system() != "Linux":
        return NO_ISOLATION
    return Isolation(_try_namespaces(), _try_landlock(), _try_seccomp())


def _try_namespaces() -> bool:
    if not shutil.which("bwrap"):
        return False
    command = bubblewrap(visible_paths()) + ["true"]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def _try_landlock() -> int:
    try:
        import landlockpy

        return landlockpy.abi_version()
    except (ImportError, OSError):
        return 0


def _try_seccomp() -> bool:
    """Load the filter in a process of its own and check that it works."""
    code = "from autograder.sandbox import _isolation as c; c.filter_calls(c.call_filter(False)); import os; os.fork()"
    search = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    tried = subprocess.run(
        [sys.executable, "-P", "-c", code], env=search, capture_output=True, text=True, check=False
    )
    return tried.returncode != 0 and "PermissionError" in tried.stderr


def bubblewrap(shown: VisiblePaths, devices: Sequence[Path] = ()) -> list[str]:
    """Return the command that puts a server into namespaces, with only `shown` and the devices in sight."""
    command = ["bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"]
    command += ["--as-pid-1", "--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev"]
    command += ["--size", str(SHM_BYTES), "--tmpfs", "/dev/shm", "--size", str(TMP_BYTES), "--tmpfs", "/tmp"]
    for path in shown.paths:
        command += ["--ro-bind-try", str(path), str(path)]
    for link, target in shown.links.items():
        command += ["--symlink", target, str(link)]
    for path in devices:
        command += ["--dev-bind", str(path), str(path)]
    return command + ["--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/tmp", "--"]


def isolate(
    work: Path, readable: list[Path], devices: list[Path], limits: Limits, isolation: Isolation, calls: Any
) -> None:
    """Give up, for this process and for ever, every right that a student's function does not need.

    readable: what `visible_paths` found for the server. devices: files of a GPU, which stay open to it. calls: what
    `call_filter` made once for all children, as it takes longer than all the rest.
    """
    if os.geteuid() == 0 and isolation.holds and not isolation.namespaces:
        give_up_root(work)
    die_with_parent()  # the kernel forgets it when the user changes
    limit_resources(limits)
    if isolation.landlock:
        shared = [Path("/dev/shm")] if isolation.namespaces else []  # for locks; Keras takes some
        restrict_files([work, *shared], readable, devices)
    if isolation.seccomp:
        filter_calls(calls)


def give_up_root(work: Path) -> None:
    """Becomes nobody; stays root by name, but without capabilities, where nobody can't read Python."""
    if all(map(is_open, {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")})):
        os.chown(work, NOBODY, NOBODY)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        return
    version_3, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(version_3, none):
        raise OSError(ctypes.get_errno(), "capset")


def is_open(folder: str) -> bool:
    """Return True if everyone may pass through all folders down to this one."""
    path = Path(folder).resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def limit_resources(limits: Limits) -> None:
    """Limits that the kernel holds; hard ones, so that they can't be raised again."""
    import resource  # here, because Windows has none, and a student's own check loads this file there too

    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for name, most in {
        "AS": held + limits.memory,
        "CPU": int(max(limits.processor, limits.seconds)) + 1,
        "FSIZE": limits.file,
        "NOFILE": limits.open_files,
        "CORE": 0,
    }.items():
        limit = getattr(resource, f"RLIMIT_{name}")
        try:
            resource.setrlimit(limit, (most, most))
        except ValueError:  # what the machine allows is not enough for a student's function
            allowed = resource.getrlimit(limit)[1]
            raise OSError(f"RLIMIT_{name} is {allowed} on this machine, {most} is needed (ulimit)") from None


def restrict_files(writable: list[Path], readable: list[Path], devices: list[Path]) -> None:
    """Landlock: read `readable`, write a few folders, use the devices; no signals or abstract sockets."""
    from landlockpy import AccessFS, Ruleset, Scope

    read = AccessFS.READ_FILE | AccessFS.READ_DIR
    with Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as rules:
        paths = {path.resolve() for path in [*readable, *map(Path, READABLE)]}
        for path in paths:
            if path.exists() and not paths.intersection(path.parents):
                rules.allow_path(path, read if path.is_dir() else AccessFS.READ_FILE)
        rules.allow_path("/dev/null", AccessFS.READ_FILE | AccessFS.WRITE_FILE)
        for device in devices:
            rules.allow_path(device, AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.IOCTL_DEV)
        for folder in writable:
            rules.allow_path(folder, ~AccessFS.NONE & ~AccessFS.EXECUTE)
        rules.restrict()


def call_filter(file_marks: bool) -> Any:
    """seccomp: threads yes, processes no; no sockets, no signals to others, nothing that administers a system.

    file_marks: refuse calls that change what is known about a file (mode, times), not only its content.
    """
    import pyseccomp as seccomp

    refuse = seccomp.ERRNO(errno.EPERM)
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    names = " ".join(
        [PROCESSES, SIGNALS, NETWORK, MEMORY, IDENTITY, SYSTEM, FILE_MARKS if file_marks else ""]
    )
    for name in names.split():
        with contextlib.suppress(ValueError, OSError):  # a call that this kernel or libseccomp does not know
            rules.add_rule(refuse, name)
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # its flags lie in memory; libc falls back to clone
    rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, 0))
    for name in ("prlimit64", "sched_setaffinity"):
        rules.add_rule(refuse, name, seccomp.Arg(0, seccomp.NE, 0))
    rules.add_rule(refuse, "socketpair", seccomp.Arg(0, seccomp.NE, 1))  # AF_UNIX alone: asyncio needs it
    for what in (PR_SET_PDEATHSIG, PR_SET_DUMPABLE):
        rules.add_rule(refuse, "prctl", seccomp.Arg(0, seccomp.EQ, what))
    for request in IOCTLS.values():
        rules.add_rule(refuse, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, request))
    for command in FCNTLS.values():
        rules.add_rule(refuse, "fcntl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, command))
    return rules


def filter_calls(rules: Any) -> None:
    """Put a filter of `call_filter` into force for this process, which may send signals to itself alone."""
    import pyseccomp as seccomp

    for name in ("kill", "tgkill"):
        rules.add_rule(seccomp.ERRNO(errno.EPERM), name, seccomp.Arg(0, seccomp.NE, os.getpid()))
    rules.load()


def die_with_parent() -> None:
    """SIGKILL for this process when its parent ends, and no core or memory for other processes to read."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
