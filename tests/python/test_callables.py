"""Functions of a user's own that a credential calls: where they run, and what becomes of what they raise."""

import asyncio
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading

import entrada
import entrada.aio
import pytest
from azure.core.exceptions import ClientAuthenticationError

from hosts import SCOPE

BOTH = pytest.mark.parametrize("module", [entrada, entrada.aio])
APP = ("tenant", "client")


class Mine(Exception):  # noqa: N818 -- it is nobody else's
    """An exception of the user's."""


def ask(credential, scope=SCOPE):
    outcome = credential.get_token(scope)
    return asyncio.run(outcome) if asyncio.iscoroutine(outcome) else outcome


def raised(credential) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 -- the tests look at it
        ask(credential)
    return caught.value


def asynchronous(function):
    """Make an asynchronous function of a plain one."""

    async def later():
        await asyncio.sleep(0)
        return function()

    return later


KINDS = pytest.mark.parametrize("kind", [lambda function: function, asynchronous], ids=["def", "async def"])


@BOTH
@KINDS
def test_what_a_function_raises_comes_back_as_it_is(module, kind):
    error = Mine("mine")

    def func():
        raise error

    assert raised(module.ClientAssertionCredential(*APP, kind(func))) is error
    names = []
    traceback = error.__traceback__
    while traceback is not None:
        names.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert "func" in names, "it says where it was raised"


@BOTH
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_so_does_what_is_no_error(module, kind):
    def func():
        raise kind("7")

    assert type(raised(module.ClientAssertionCredential(*APP, func))) is kind


@BOTH
@KINDS
@pytest.mark.parametrize("kind_of_error", [asyncio.CancelledError, StopIteration])
def test_what_would_mean_something_else_to_who_waits_is_wrapped(module, kind, kind_of_error):
    def func():
        raise kind_of_error

    assert type(raised(module.ClientAssertionCredential(*APP, kind(func)))) is RuntimeError


@BOTH
@KINDS
@pytest.mark.parametrize("value", [7, None, b"e30.e30.c2ln", ["a"]])
def test_a_function_must_return_a_text(module, kind, value):
    error = raised(module.ClientAssertionCredential(*APP, kind(lambda: value)))
    assert type(error) is TypeError
    assert str(error) == f"func returned an object of type {type(value).__name__}; it must return a str"


@BOTH
@KINDS
@pytest.mark.parametrize("value", ["", "abc", "a.b", "e30.e30.hunter2\n"])
def test_what_is_no_assertion_is_refused_before_anything_is_sent(module, kind, value):
    error = raised(module.ClientAssertionCredential(*APP, kind(lambda: value)))
    assert type(error) is ClientAuthenticationError
    assert "the client assertion is" in str(error)
    assert "hunter2" not in str(error)


@BOTH
@pytest.mark.parametrize("value", [None, "e30.e30.c2ln", 7])
def test_what_cannot_be_called_is_a_type_error(module, value):
    with pytest.raises(TypeError, match="func is a function that returns an assertion"):
        module.ClientAssertionCredential(*APP, value)


@BOTH
def test_a_chain_goes_on_past_what_is_unavailable_and_stops_at_all_else(module):
    def unavailable():
        raise entrada.CredentialUnavailableError(message="not here")

    def broken():
        raise error

    error = Mine("mine")
    chain = module.ChainedTokenCredential(
        module.ClientAssertionCredential(*APP, unavailable),
        module.ClientAssertionCredential(*APP, broken),
        module.ClientAssertionCredential(*APP, lambda: pytest.fail("not reached")),
    )
    told = raised(chain)
    assert type(told) is ClientAuthenticationError
    assert told.__cause__ is error
    assert "not here" in str(told)
    assert "func raised Mine: mine" in str(told)


@BOTH
@KINDS
def test_a_function_may_ask_another_credential(module, kind):
    """Many deep: each waits in a thread of its own, or on its caller's loop."""
    error = Mine("the innermost")

    def innermost():
        raise error

    credential = module.ClientAssertionCredential(*APP, kind(innermost))
    for _ in range(30):

        def func(inner=credential):
            return inner.get_token(SCOPE).token

        async def later(inner=credential):
            return (await inner.get_token(SCOPE)).token

        credential = module.ClientAssertionCredential(*APP, func if module is entrada else later)
    assert raised(credential) is error


def test_many_functions_run_at_once():
    count = 40
    together = threading.Barrier(count)

    def func():
        together.wait(30)
        raise Mine

    threads, errors = [], []
    for _ in range(count):
        credential = entrada.ClientAssertionCredential(*APP, func)
        threads.append(threading.Thread(target=lambda credential=credential: errors.append(raised(credential))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(error) for error in errors] == [Mine] * count


def test_many_waiters_share_one_call():
    calls, gate = [], threading.Event()

    def func():
        calls.append(1)
        gate.wait(30)
        raise Mine

    credential = entrada.aio.ClientAssertionCredential(*APP, func)

    async def main():
        tasks = [asyncio.ensure_future(credential.get_token(SCOPE)) for _ in range(50)]
        while not calls:
            await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(error) for error in asyncio.run(main())} == {Mine}
    assert len(calls) < 50 / 2


def test_a_coroutine_runs_on_the_loop_of_who_waits():
    ran = []

    async def func():
        ran.append((asyncio.get_running_loop(), threading.current_thread()))
        raise Mine

    credential = entrada.aio.ClientAssertionCredential(*APP, func)
    waited = []

    async def main():
        waited.append((asyncio.get_running_loop(), threading.current_thread()))
        with pytest.raises(Mine):
            await credential.get_token(SCOPE)

    asyncio.run(main())
    # The next loop is another one; the first is closed.
    asyncio.run(main())
    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    thread.join()
    assert ran == waited


def test_in_a_chain_too():
    ran = []

    async def func():
        ran.append(asyncio.get_running_loop())
        raise entrada.CredentialUnavailableError(message="not here")

    inner = entrada.aio.ChainedTokenCredential(entrada.aio.ClientAssertionCredential(*APP, func))
    chain = entrada.aio.ChainedTokenCredential(inner, entrada.aio.EnvironmentCredential())

    async def main():
        with pytest.raises(ClientAuthenticationError):
            await chain.get_token(SCOPE)
        assert ran == [asyncio.get_running_loop()]

    asyncio.run(main())


def test_a_coroutine_of_a_synchronous_credential_has_a_loop_of_its_own():
    ran = []

    async def func():
        ran.append(asyncio.get_running_loop())
        raise Mine

    async def main():
        credential = entrada.ClientAssertionCredential(*APP, func)
        error = await asyncio.get_running_loop().run_in_executor(None, raised, credential)
        assert type(error) is Mine
        assert ran != [asyncio.get_running_loop()]

    asyncio.run(main())


def test_a_loop_that_ends_leaves_those_on_other_loops_their_answer():
    """The coroutine that ran on it is cancelled with it, and the function is called once more."""
    error, calls, may_end = Mine("the second call's"), [], threading.Event()

    async def func():
        calls.append(asyncio.get_running_loop())
        if len(calls) == 1:
            await asyncio.Event().wait()
        raise error

    credential = entrada.aio.ClientAssertionCredential(*APP, func)

    async def first():
        waits = asyncio.ensure_future(credential.get_token(SCOPE))
        while not calls:
            await asyncio.sleep(0)
        # An event loop holds its tasks weakly.
        gc.collect()
        await asyncio.get_running_loop().run_in_executor(None, may_end.wait, 30)
        assert not waits.done()

    async def second():
        waits = asyncio.ensure_future(credential.get_token(SCOPE))
        await asyncio.sleep(0)
        may_end.set()
        with pytest.raises(Mine) as caught:
            await waits
        assert caught.value is error

    thread = threading.Thread(target=asyncio.run, args=(first(),))
    thread.start()
    while not calls:
        thread.join(0.001)
    asyncio.run(second())
    thread.join()
    assert len(calls) == 2


def test_a_plain_function_holds_up_no_task():
    gate = threading.Event()

    def func():
        assert gate.wait(30)
        raise Mine

    async def main():
        waits = asyncio.ensure_future(entrada.aio.ClientAssertionCredential(*APP, func).get_token(SCOPE))
        await asyncio.sleep(0)
        # Were the loop blocked, nobody could open the gate.
        asyncio.get_running_loop().call_soon(gate.set)
        with pytest.raises(Mine):
            await waits

    asyncio.run(main())


def pickled_assertion():
    raise Mine("after pickling")


@BOTH
def test_a_function_that_can_be_pickled_is(module):
    credential = pickle.loads(pickle.dumps(module.ClientAssertionCredential(*APP, pickled_assertion)))
    assert str(raised(credential)) == "after pickling"
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(module.ClientAssertionCredential(*APP, lambda: ""))


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

PROGRAM = """
import asyncio, logging, os, sys, threading, traceback
import entrada, entrada.aio

logging.disable()

SCOPE = "https://vault.azure.net/.default"
class Mine(Exception): pass

def make(func):
    return entrada.ClientAssertionCredential("tenant", "client", func)

def fails(credential):
    try:
        credential.get_token(SCOPE)
    except Mine:
        return
    raise SystemExit("nothing was raised")

def raises():
    raise Mine

def in_child(work):
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@needs_fork
def test_a_child_calls_functions_too(run):
    run(
        PROGRAM
        + """
credential = make(raises)
in_child(lambda: fails(credential))
fails(credential)
in_child(lambda: in_child(lambda: fails(credential)))
in_child(lambda: fails(make(raises)))
fails(credential)
"""
    )


@needs_fork
def test_a_fork_while_functions_run(run):
    run(
        PROGRAM
        + """
busy, gate = threading.Semaphore(0), threading.Event()
def func():
    busy.release()
    gate.wait()
    raise Mine
blocked = [make(func) for _ in range(5)]
threads = [threading.Thread(target=fails, args=(credential,)) for credential in blocked]
for thread in threads: thread.start()
for _ in threads: busy.acquire()
def work():
    fails(make(raises))
    gate.set()
    fails(blocked[0])
in_child(work)
in_child(work)
gate.set()
for thread in threads: thread.join()
"""
    )


@needs_fork
def test_forks_while_other_threads_call_functions(run):
    run(
        PROGRAM
        + """
stop = threading.Event()
def ask():
    while not stop.is_set():
        fails(make(raises))
# A child cannot import what another thread was about to import, whatever module it is.
fails(make(raises))
threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads: thread.start()
for _ in range(20): in_child(lambda: fails(make(raises)))
stop.set()
for thread in threads: thread.join()
"""
    )


ENDS = {
    "a thread waits for a function that never returns": """
called = threading.Event()
def func():
    called.set()
    threading.Event().wait()
threading.Thread(target=make(func).get_token, args=(SCOPE,), daemon=True).start()
called.wait()
""",
    "a function computes": """
called = threading.Event()
def func():
    called.set()
    while True: sum(range(100))
threading.Thread(target=make(func).get_token, args=(SCOPE,), daemon=True).start()
called.wait()
""",
    "functions return all the time": """
called = threading.Semaphore(0)
def func():
    called.release()
    raise Mine
def ask():
    while True: fails(make(func))
for _ in range(4): threading.Thread(target=ask, daemon=True).start()
for _ in range(20): called.acquire()
""",
    "a task waits for a coroutine": """
called = asyncio.Event()
async def func():
    called.set()
    await asyncio.Event().wait()
async def main():
    task = asyncio.ensure_future(entrada.aio.ClientAssertionCredential("t", "c", func).get_token(SCOPE))
    await called.wait()
asyncio.run(main())
""",
    "a coroutine is on a loop of its own": """
called = threading.Event()
async def func():
    called.set()
    await asyncio.Event().wait()
threading.Thread(target=make(func).get_token, args=(SCOPE,), daemon=True).start()
called.wait()
""",
    "the first call is made at the end": """
import atexit
credential = make(raises)
atexit.register(fails, credential)
""",
}


@pytest.mark.parametrize("what", ENDS)
def test_a_program_ends_though(run, what):
    for _ in range(5):
        assert run(PROGRAM + ENDS[what]).stderr == ""


def test_ctrl_c_interrupts_who_waits_for_a_function(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        PROGRAM
        + """
def func():
    print("called", flush=True)
    threading.Event().wait()
try:
    make(func).get_token(SCOPE)
except KeyboardInterrupt:
    print("interrupted")
"""
    )
    process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "called\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[0] == "interrupted\n"
    assert process.returncode == 0


GETS_A_TOKEN = """
import asyncio, os, entrada, entrada.aio
SCOPE = "https://vault.azure.net/.default"
APP = [os.environ[name] for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID")]
calls = []
def read():
    calls.append(1)
    with open(os.environ["AZURE_FEDERATED_TOKEN_FILE"]) as file:
        return file.read()
async def read_later():
    await asyncio.sleep(0)
    return read()
for func in (read, read_later, entrada.FileAssertion(os.environ["AZURE_FEDERATED_TOKEN_FILE"])):
    credential = entrada.ClientAssertionCredential(*APP, func)
    assert credential.get_token(SCOPE) is credential.get_token(SCOPE)
    credential = entrada.aio.ClientAssertionCredential(*APP, func)
    async def main():
        assert await credential.get_token(SCOPE) == await credential.get_token(SCOPE)
    asyncio.run(main())
assert len(calls) == 4
"""


def test_its_assertion_is_exchanged_for_a_token(azures, run):
    azure = azures("kubernetes")
    run(GETS_A_TOKEN, **azure.variables)
    # One for each function and face; credentials with the same file share theirs.
    assert len(azure.exchanges("entra")) == 5
