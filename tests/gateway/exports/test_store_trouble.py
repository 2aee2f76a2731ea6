"""A store that cannot keep the work: 503 and Retry-After, nothing reaches the CRM, and no restart is needed after."""

import contextlib
import resource
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.gateway.exports.conftest import customers, new_company, problem, quick_export
from tests.harness import Upstream, client, configuration, gateway_process, running_gateway, wait_until


@contextlib.contextmanager
def write_lock(file: Path) -> Iterator[None]:
    """Hold SQLite's write lock, as another process would that never lets go."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield
        holder.execute("ROLLBACK")


def test_a_locked_store(upstream: Upstream, tmp_path: Path, connection: str) -> None:
    """10 pushes at once while the store is locked: each is 503 within 3 s; the CRM hears of none; then all is well."""
    companies = [new_company() for _ in range(10)]
    with running_gateway(configuration(upstream.url, tmp_path)) as gateway:
        with write_lock(tmp_path / "gateway.db"):

            def push(company: dict[str, object]) -> float:
                with client(gateway.url, verify=False) as http:
                    started = time.monotonic()
                    answer = http.post(f"/vainu/{connection}/exports", json=company)
                assert int(answer.headers["retry-after"]) >= 1
                problem(answer, 503)
                return time.monotonic() - started

            with ThreadPoolExecutor(10) as pool:
                seconds = list(pool.map(push, companies))

        assert max(seconds) < 3
        answers = [gateway.push(connection, company) for company in companies]

        assert [answer.status_code for answer in answers] == [201] * 10
        assert all(len(customers(upstream, connection, str(each["company_name"]))) == 1 for each in companies)


def test_work_whose_caller_was_told_503_is_not_done(upstream: Upstream, tmp_path: Path) -> None:
    """What waited for the lock while its caller was refused is dropped: nothing reaches the CRM when the lock goes."""
    company = new_company()
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export())) as gateway:
        with write_lock(tmp_path / "gateway.db"):
            problem(gateway.push("acme", company), 503)
        gateway.push("globex", new_company())

        assert customers(upstream, "acme", company["company_name"]) == []
        assert upstream.calls("apptivo") == []


def test_a_store_that_fails_in_the_middle(upstream: Upstream, tmp_path: Path) -> None:
    """The store locks up while the CRM creates: still an answer in time; the record is linked later, not doubled."""
    company = new_company()
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export(budget_ms=1_000))) as gateway:
        upstream.fault("apptivo", "delay", seconds=0.4, match="a=save", times=1)
        with ThreadPoolExecutor(1) as pool:
            pushed = pool.submit(gateway.push, "acme", company)
            wait_until(lambda: any("a=save" in call["line"] for call in upstream.calls("apptivo")), "the create")
            with write_lock(tmp_path / "gateway.db"):
                started = time.monotonic()
                answer = pushed.result()
                assert time.monotonic() - started < 1.5

        assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
        repeat = wait_until(lambda: _updated(gateway.push("acme", company).json()), "the repeat is answered")
        [row] = customers(upstream, "acme", company["company_name"])
        assert repeat["unique_id"] == str(row["customerId"])


def _updated(answer: dict[str, str]) -> dict[str, str] | None:
    return answer if answer.get("status") == "updated" else None


def test_a_full_disk(upstream: Upstream, tmp_path: Path) -> None:
    """No byte more can be written: 503, and nothing in the CRM; with room again the same process takes the push."""
    company = new_company()
    with gateway_process(configuration(upstream.url, tmp_path), tmp_path) as process:
        gateway = process.start()
        assert process.process is not None
        pid = process.process.pid
        _soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        # stands for a full disk: the kernel refuses every write beyond this size
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4_096, hard))

        answer = gateway.push("acme", company)

        assert answer.headers["retry-after"].isdigit()
        problem(answer, 503)
        assert customers(upstream, "acme", company["company_name"]) == []
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert gateway.push("acme", company).status_code == 201
        gateway.http.close()
