"""Any event loop, several of them, and callers who give up."""

import asyncio
import gc
import warnings

import entrada
import entrada.aio
import pytest

from hosts import SCOPE

OTHER = "https://storage.azure.com/.default"


def test_one_credential_serves_two_loops_in_turn(identity_host):
    credential = entrada.aio.ManagedIdentityCredential()
    assert asyncio.run(credential.get_token(SCOPE)).token == "token-1"
    assert asyncio.run(credential.get_token(OTHER)).token == "token-2"
    assert asyncio.run(credential.get_token(SCOPE)).token == "token-1"


def test_uvloop_serves_as_well(identity_host):
    uvloop = pytest.importorskip("uvloop")

    async def main():
        return await asyncio.gather(*(entrada.aio.ManagedIdentityCredential().get_token(SCOPE) for _ in range(10)))

    assert {token.token for token in uvloop.run(main())} == {"token-1"}


def test_a_cancelled_caller_leaves_the_others_alone(identity_host):
    identity_host.open.clear()

    async def main() -> str:
        credential = entrada.aio.ManagedIdentityCredential()
        impatient = asyncio.ensure_future(credential.get_token(SCOPE))
        patient = asyncio.ensure_future(credential.get_token(SCOPE))
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(credential.get_token(SCOPE), timeout=0)
        identity_host.open.set()
        return (await patient).token

    assert asyncio.run(main()) == "token-1"
    assert len(identity_host.requests) == 1


def test_a_loop_that_is_closed_while_a_token_is_fetched_disturbs_nobody(identity_host):
    identity_host.open.clear()
    credential = entrada.aio.ManagedIdentityCredential()
    loop = asyncio.new_event_loop()
    task = loop.create_task(credential.get_token(SCOPE))
    loop.run_until_complete(asyncio.sleep(0))
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()
    identity_host.open.set()
    assert asyncio.run(credential.get_token(SCOPE)).token == "token-1"


def test_nothing_is_left_unclosed(identity_host):
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        async def main() -> None:
            async with entrada.aio.DefaultAzureCredential() as credential:
                await credential.get_token(SCOPE)
            await credential.get_token(SCOPE)
            await entrada.aio.ManagedIdentityCredential().get_token_info(SCOPE, options={"enable_cae": True})

        asyncio.run(main())
        gc.collect()


def test_other_tasks_run_while_a_token_is_fetched(identity_host):
    identity_host.open.clear()

    async def main() -> str:
        token = asyncio.ensure_future(entrada.aio.ManagedIdentityCredential().get_token(SCOPE))
        await asyncio.sleep(0)
        # Were the loop blocked, nobody could open the gate.
        asyncio.get_running_loop().call_soon(identity_host.open.set)
        return (await token).token

    assert asyncio.run(main()) == "token-1"


def test_provider_functions(identity_host):
    sync = entrada.get_bearer_token_provider(entrada.ManagedIdentityCredential(), SCOPE)
    assert sync() == "token-1"
    provider = entrada.aio.get_bearer_token_provider(entrada.aio.ManagedIdentityCredential(), SCOPE)

    async def main() -> str:
        return await provider()

    assert asyncio.run(main()) == "token-1"
