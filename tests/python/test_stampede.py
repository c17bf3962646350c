"""Many callers, one request."""

import asyncio
import threading

import entrada
import entrada.aio

from hosts import SCOPE


def test_a_hundred_threads_with_a_credential_each_make_one_request(identity_host):
    identity_host.open.clear()
    tokens, ready = [], threading.Barrier(101)

    def ask() -> None:
        credential = entrada.ManagedIdentityCredential()
        ready.wait()
        tokens.append(credential.get_token(SCOPE))

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    ready.wait()
    identity_host.open.set()
    for thread in threads:
        thread.join()
    assert {token.token for token in tokens} == {"token-1"}
    assert len(tokens) == 100
    assert len(identity_host.requests) == 1


def test_a_thousand_tasks_make_one_request(identity_host):
    credential = entrada.aio.ManagedIdentityCredential()

    async def main() -> list:
        return await asyncio.gather(*(credential.get_token(SCOPE) for _ in range(1000)))

    assert {token.token for token in asyncio.run(main())} == {"token-1"}
    assert len(identity_host.requests) == 1


def test_tasks_and_threads_share_one_request(identity_host):
    identity_host.open.clear()

    async def main() -> list:
        loop = asyncio.get_running_loop()
        threads = [loop.run_in_executor(None, entrada.ManagedIdentityCredential().get_token, SCOPE) for _ in range(3)]
        tasks = [asyncio.ensure_future(entrada.aio.ManagedIdentityCredential().get_token(SCOPE)) for _ in range(3)]
        await asyncio.sleep(0)
        identity_host.open.set()
        return await asyncio.gather(*threads, *tasks)

    assert {token.token for token in asyncio.run(main())} == {"token-1"}
    assert len(identity_host.requests) == 1


def test_a_failure_is_shared_too(identity_host):
    identity_host.status, identity_host.body = 400, b'{"statusCode":400,"message":"No such identity"}'
    identity_host.open.clear()

    async def main() -> list:
        credential = entrada.aio.ManagedIdentityCredential()
        tasks = [asyncio.ensure_future(credential.get_token(SCOPE)) for _ in range(50)]
        await asyncio.sleep(0)
        identity_host.open.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    failures = asyncio.run(main())
    assert len({id(failure) for failure in failures}) == 50, "everybody gets an exception of their own"
    assert all("No such identity" in str(failure) for failure in failures)
    # A failure is not remembered: who comes after it has landed asks anew, and it cannot be told when all are aboard.
    assert len(identity_host.requests) < 50 / 2
