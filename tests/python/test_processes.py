"""Forks, exits and signals."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

CHILD = """
import os, sys, threading, traceback
import entrada, entrada.aio

VAULT, STORAGE = "https://vault.azure.net/.default", "https://storage.azure.com/.default"
credential = entrada.ManagedIdentityCredential()

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


def test_a_child_has_the_parents_tokens_and_fetches_its_own(identity_host, run):
    run(
        CHILD
        + """
first = credential.get_token(VAULT)

def work():
    assert credential.get_token(VAULT) is first
    assert entrada.ManagedIdentityCredential().get_token(VAULT) == first
    new = credential.get_token(STORAGE)
    assert new.token != first.token
    assert credential.get_token(STORAGE) is new
    import asyncio
    assert asyncio.run(entrada.aio.ManagedIdentityCredential().get_token("https://graph.microsoft.com/.default"))
    in_child(lambda: credential.get_token("https://a/.default"))

in_child(work)
in_child(work)
assert credential.get_token(VAULT) is first
assert credential.get_token(STORAGE)
"""
    )
    assert len(identity_host.requests) == 1 + 3 + 3 + 1


def test_a_fork_while_other_threads_fetch(identity_host, run):
    run(
        CHILD
        + """
stop = threading.Event()

def ask(number):
    count = 0
    while not stop.is_set():
        count += 1
        credential.get_token(f"https://thread-{number}-{count}/.default")

threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for round in range(20):
    in_child(lambda: credential.get_token(f"https://child-{round}/.default"))
stop.set()
for thread in threads:
    thread.join()
"""
    )
    assert {f"child-{number}" for number in range(20)} == {
        part for request in identity_host.requests for part in request.split("%2F") if part.startswith("child-")
    }


def test_a_fork_while_a_request_is_in_the_air(identity_host, run):
    identity_host.open.clear()

    def work(program):
        return run(CHILD + program)

    import threading

    # The child's own request is the second one; both are answered when it has come.
    def release() -> None:
        while len(identity_host.requests) < 2:
            pause.wait(0.01)
        identity_host.open.set()

    pause = threading.Event()
    helper = threading.Thread(target=release)
    helper.start()
    work(
        """
tokens = []
thread = threading.Thread(target=lambda: tokens.append(credential.get_token(VAULT)))
thread.start()
in_child(lambda: credential.get_token(VAULT))
thread.join()
assert len(tokens) == 1
"""
    )
    helper.join()
    assert len(identity_host.requests) == 2


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(identity_host, run, method):
    run(
        f"""
import multiprocessing
import entrada

def work(credential):
    return credential.get_token("https://vault.azure.net/.default").token

if __name__ == "__main__":
    credential = entrada.ManagedIdentityCredential()
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        assert all(token.startswith("token-") for token in pool.map(work, [credential] * 4))
""",
    )


EXITS = {
    "a daemon thread waits": """
threading.Thread(target=credential.get_token, args=(SCOPE,), daemon=True).start()
""",
    "a task waits": """
import asyncio, entrada.aio
async def main():
    task = asyncio.ensure_future(entrada.aio.ManagedIdentityCredential().get_token(SCOPE))
    await asyncio.sleep(0.05)
asyncio.run(main())
""",
    "a token is fetched while atexit runs": """
import atexit
atexit.register(lambda: print(len(entrada.EnvironmentCredential.__name__)))
threading.Thread(target=credential.get_token, args=(SCOPE,), daemon=True).start()
""",
}


@pytest.mark.parametrize("what", EXITS)
def test_a_program_ends_though(identity_host, run, what):
    identity_host.open.clear()
    program = "import threading\nimport entrada\nSCOPE = 'https://vault.azure.net/.default'\n"
    done = run(program + "credential = entrada.ManagedIdentityCredential()\n" + EXITS[what])
    assert done.stderr == ""


def test_a_program_may_end_as_soon_as_its_token_is_there(identity_host, run):
    program = (
        "import asyncio, entrada.aio\n"
        "asyncio.run(entrada.aio.ManagedIdentityCredential().get_token('https://vault.azure.net/.default'))\n"
    )
    for _ in range(20):
        assert run(program).stderr == ""


def test_a_program_may_end_while_its_threads_get_tokens(identity_host, run):
    program = """
import logging, os, sys, threading
logging.basicConfig(level=logging.INFO, stream=open(os.devnull, "w"))
import entrada
credential, enough = entrada.ManagedIdentityCredential(), threading.Semaphore(0)
def ask(thread):
    for number in range(1_000_000):
        credential.get_token(f"https://{thread}-{number}/.default")
        enough.release()
for thread in range(4):
    threading.Thread(target=ask, args=(thread,), daemon=True).start()
for _ in range(int(sys.argv[1])):
    enough.acquire()
"""
    for number in range(20):
        run(program, str(number))


def test_ctrl_c_interrupts_a_call_that_waits(identity_host, tmp_path):
    identity_host.open.clear()
    program = tmp_path / "program.py"
    program.write_text(
        "import entrada\n"
        "try:\n"
        "    entrada.ManagedIdentityCredential().get_token('https://vault.azure.net/.default')\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    while not identity_host.requests:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[0] == "interrupted\n"
    assert process.returncode == 0
    assert not identity_host.open.is_set()


def test_other_threads_run_while_one_waits(identity_host):
    import threading

    import entrada

    identity_host.open.clear()
    # Were the interpreter held, this thread could not open the gate.
    threading.Timer(0, identity_host.open.set).start()
    assert entrada.ManagedIdentityCredential().get_token("https://vault.azure.net/.default").token == "token-1"
