"""A person at a browser: runs a program that wants somebody to sign in, and does so in Chromium.

    python person.py --user NAME --password PASSWORD [--decline] [--second-factor] browser|device -- COMMAND…

It runs inside `entrada emulate`, so Chromium gets to the emulator's pages through the gateway as it would get to
Microsoft's: under their public names, over TLS. The command's output and exit status are this program's. What the
person saw at the end is written to standard error.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By

#: How long the person looks for something before giving up, in seconds.
PATIENCE = 60


def chromium(folder: Path) -> webdriver.Chrome:
    """Start Chromium behind the gateway, trusting its authority and nothing more than usual."""
    authority = x509.load_pem_x509_certificate(Path(os.environ["SSL_CERT_FILE"]).read_bytes())
    key = authority.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    options = webdriver.ChromeOptions()
    options.binary_location = os.environ["ENTRADA_CHROMIUM"]
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1000,800",
        f"--user-data-dir={folder}",
        f"--proxy-server={os.environ['HTTPS_PROXY']}",
        "--ignore-certificate-errors-spki-list=" + base64.b64encode(hashlib.sha256(key).digest()).decode(),
    ):
        options.add_argument(argument)
    service = webdriver.ChromeService(executable_path=os.environ["ENTRADA_CHROMEDRIVER"])
    # What drives the browser is asked directly, whatever the proxy variables say.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1,[::1]"
    return webdriver.Chrome(options=options, service=service)


class Person:
    """Somebody with a name, a password, and a mind of their own."""

    def __init__(self, browser: webdriver.Chrome, arguments: argparse.Namespace) -> None:
        self.browser, self.arguments = browser, arguments

    def see(self, what: str, until: Callable[[], bool]) -> None:
        """Wait until something is to be seen."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if until():
                    return
            except WebDriverException:
                pass  # The page is just changing.
            time.sleep(0.05)
        raise SystemExit(f"the person never saw {what}, but this:\n{self.page()}")

    def page(self) -> str:
        """What stands on the page."""
        return self.browser.find_element(By.TAG_NAME, "body").text

    def there(self, element: str) -> bool:
        """Whether an element is on the page and to be seen."""
        return any(found.is_displayed() for found in self.browser.find_elements(By.ID, element))

    def type(self, element: str, text: str) -> None:
        """Fill in a field, and go on with the page's main button."""
        field = self.browser.find_element(By.ID, element)
        field.clear()
        field.send_keys(text)
        field.submit()

    def click(self, element: str) -> None:
        """Press a button."""
        self.browser.find_element(By.ID, element).click()

    def sign_in(self) -> None:
        """Say who they are, prove it, and agree or not, in whatever order the pages ask."""
        name, password = self.arguments.user, self.arguments.password
        seen: set[str] = set()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if self.there("message") or self.browser.current_url.startswith("http://"):
                    return
                if self.there("i0116"):
                    self.type("i0116", name)
                elif self.there("i0118") and "password" not in seen:
                    seen.add("password")
                    self.type("i0118", password)
                elif self.there("idTxtBx_SAOTCC_OTC"):
                    self.type("idTxtBx_SAOTCC_OTC", self.browser.find_element(By.ID, "authenticatorCode").text.strip())
                elif self.there("otherTile"):
                    self.click("otherTile")
                elif self.there("problem"):
                    return
                elif self.arguments.decline and self.there("idBtn_Back") and (self.is_at_decision()):
                    self.click("idBtn_Back")
                elif self.there("idSIButton9") and self.is_at_decision():
                    self.click("idSIButton9")
            except WebDriverException:
                pass  # The page is just changing.
            time.sleep(0.05)
        raise SystemExit(f"the person could not sign in; the page says:\n{self.page()}")

    def is_at_decision(self) -> bool:
        """Whether the page asks for a yes or a no."""
        return not self.there("i0116") and not self.there("i0118") and not self.there("otc")


def main() -> None:
    """Run the command, and be the person it needs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--decline", action="store_true", help="say no where there is a choice")
    parser.add_argument("--picture", help="a PNG of what was seen at the end")
    parser.add_argument("way", choices=["browser", "device"])
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        opened = folder / "opened"
        opened.mkdir()
        opener = folder / "open-in-browser"
        # Written whole or not at all.
        opener.write_text(f"#!/bin/sh\nprintf '%s' \"$1\" > {folder}/$$ && mv {folder}/$$ {opened}/\n")
        opener.chmod(0o755)
        environment = {**os.environ, "BROWSER": str(opener), "PYTHONUNBUFFERED": "1"}
        program = subprocess.Popen(
            arguments.command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        said: list[str] = []

        def listen() -> None:
            for line in program.stdout or ():
                said.append(line)
                print(line, end="", flush=True)

        listener = threading.Thread(target=listen)
        listener.start()
        person = Person(chromium(folder / "profile"), arguments)
        try:
            if arguments.way == "device":
                pattern = re.compile(r"(https://\S+).* code (\w+)", re.DOTALL)
                person.see("a code", lambda: bool(pattern.search("".join(said))) or program.poll() is not None)
                found = pattern.search("".join(said))
                if found:
                    person.browser.get(found[1].rstrip(".,"))
                    person.see("a field for the code", lambda: person.there("otc"))
                    person.type("otc", found[2])
                    person.sign_in()
            times = 0
            end = time.monotonic() + PATIENCE
            # A program may ask more than once.
            while program.poll() is None and time.monotonic() < end:
                for page in opened.iterdir():
                    times += 1
                    person.browser.get(page.read_text())
                    page.unlink()
                    person.sign_in()
                time.sleep(0.05)
            code = program.poll()
            if code is None:
                raise SystemExit(f"the program went on for ever; the page says:\n{person.page()}")
            listener.join()
            print(f"pages opened: {times}; the person saw: {person.page()}", file=sys.stderr)
            if arguments.picture:
                person.browser.save_screenshot(arguments.picture)
        finally:
            program.kill()
            person.browser.quit()
    sys.exit(code)


if __name__ == "__main__":
    main()
