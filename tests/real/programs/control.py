"""The emulator's own endpoint, for programs of tests."""

import json
import os
import urllib.request


def faults(rules):
    """Put these faults in force, and no others."""
    request = urllib.request.Request(
        os.environ["ENTRADA_EMULATOR_URL"] + "/faults",
        data=json.dumps(rules).encode(),
        headers={"x-entrada-key": os.environ["ENTRADA_EMULATOR_KEY"]},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=30).close()
