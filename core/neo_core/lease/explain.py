"""The sentences in which the lease refuses, and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.errors import LeaseError, describe_os_error
from neo_core.lease.words import HolderState, RecordStatus

if TYPE_CHECKING:
    from neo_core.lease.inspect import Inspection

RECLAIM = "neo-lease reclaim"
MALFORMED_SENTENCE = "the lease file is not a lease; the next start replaces it"
MOVED_SENTENCE = "its folder or lock file was moved or replaced while it was taken; the next start tries again"
UNREADABLE_MEND = "make it a readable file, or move it away while nothing runs"


def explain_held(seen: Inspection) -> str:
    """Return why a record cannot be taken."""
    if seen.status is RecordStatus.UNREADABLE:
        return f"the lease file cannot be read: {seen.error}"
    if seen.busy:
        return "somebody is writing the lease file right now"
    if seen.status is not RecordStatus.ACTIVE:
        return f"another process is just taking or leaving it (record {seen.status})"
    if seen.scan.carriers and seen.holder is not HolderState.ALIVE:
        return _explain_carriers(seen)
    if seen.holder is HolderState.UNKNOWN:
        elsewhere = "its holder is on another machine, boot or namespace and cannot be checked"
        return f"who has its lost lock file locked cannot be seen: {seen.error}" if seen.error else elsewhere
    return "its holder is overdue but alive" if seen.expired else "its holder is alive"


def _explain_carriers(seen: Inspection) -> str:
    pids = ", ".join(str(carrier.pid) for carrier in seen.scan.carriers[:5])
    if seen.lease is None:
        return f"{seen.task or 'a heavy job'} from before the records were lost still works (pid {pids})"
    gone = "gone" if seen.holder is HolderState.ORPHANED else "overdue and cannot be checked,"
    return f"its holder is {gone} but {len(seen.scan.carriers)} of its processes still work (pid {pids})"


def way_out(seen: Inspection) -> str:
    """Return the command that ends what keeps the lease of a holder that is gone; empty where nothing does."""
    lease = seen.lease
    if seen.holder is not HolderState.ORPHANED or not seen.scan.carriers:
        return ""
    if lease is None:
        return f"neo-console strays stop {seen.scan.carriers[0].pid}"
    run_id = lease.metadata.get("runId")
    if isinstance(run_id, str) and run_id.isalnum():
        return f"neo-console stop {run_id}"
    return f"neo-console strays stop {seen.scan.carriers[0].pid}{'' if lease.holder else ' --foreign'}"


def deferral_lines(seen: Inspection) -> str:
    """Return upstream's two lines for a script that found the lease held; without a record they say so."""
    lease = seen.lease
    if lease is None:
        holder = f"an unnamed process ({explain_held(seen)})"
        told = f"\u23f8\ufe0f  Deferred: heavy-maintenance lease held by {holder}."
    else:
        pid = "unknown" if lease.pid is None else lease.pid
        told = (
            f"\u23f8\ufe0f  Deferred: heavy-maintenance lease held by '{lease.owner}' "
            f"(reason='{lease.reason}', pid={pid}, acquiredAt={lease.acquired_text})."
        )
    return f"{told}\n   This script will not run while another heavy-maintenance task is active."


def unreadable_error(path: str, why: str) -> LeaseError:
    """Return the error for a lease that cannot be read; it is never deleted by us."""
    return LeaseError(
        f"lease {path}",
        f"cannot be read: {why}",
        "Nothing heavy starts until it is mended: make it a readable file, or move it away while nothing runs.",
    )


def unsettled_error(path: str, error: OSError) -> LeaseError:
    """Return the error for a record of ours that could not be looked at again after a recovery."""
    return LeaseError(
        f"lease {path}",
        f"cannot be read again after its recovery: {describe_os_error(error)}",
        "Nothing was started. Mend the disk or the file's permissions, then try again.",
    )


def unremoved_error(path: str, error: OSError) -> LeaseError:
    """Return the error for a record that could not be compared with the judged one, and is where it was."""
    return LeaseError(
        f"lease {path}",
        f"cannot be removed, because it cannot be read to be compared first: {describe_os_error(error)}",
        "It was put back. Mend the disk or the file's permissions; the next acquisition then recovers it.",
    )


def write_error(path: str, error: OSError) -> LeaseError:
    """Return the error for a lease that cannot be written."""
    return LeaseError(
        f"lease {path}",
        f"cannot be changed: {describe_os_error(error)}",
        "Free space or permissions in its folder, then try again; nothing was lost.",
    )


def hold_error(path: str, error: OSError) -> LeaseError:
    """Return the error for a hold file that cannot be locked."""
    if isinstance(error, FileNotFoundError):
        return LeaseError(f"lease {path}", "its folder does not exist", "Create it, or check NEO_AI_ORCHESTRATOR_DIR.")
    return LeaseError(
        f"hold file {path}.hold",
        f"cannot be locked: {describe_os_error(error)}",
        "Make it a file of yours with mode 0600, or remove it while nothing runs.",
    )


def guard_error(path: str) -> LeaseError:
    """Return the error for a guard that another process does not give up."""
    return LeaseError(f"lease {path}", "its guard is kept by another process", "Find who has its .lock file open.")


def network_error(path: str, kind: str) -> LeaseError:
    """Return the error for a lease where flock may not hold."""
    return LeaseError(
        f"lease {path}",
        f"is on a network file system ({kind}), where a lock may not reach other machines",
        "Point NEO_AI_ORCHESTRATOR_DIR at a local folder, or set lease.allow_network_filesystem = true.",
    )
