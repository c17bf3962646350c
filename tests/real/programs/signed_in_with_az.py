"""Sign in with `az login`, then run the command given."""

import os
import subprocess
import sys

who = {
    "--tenant": os.environ["SIGN_IN_TENANT"],
    "--username": os.environ["SIGN_IN_CLIENT_ID"],
    "--password": os.environ["SIGN_IN_SECRET"],
}
options = [word for option in who.items() for word in option]
subprocess.run(["az", "login", "--service-principal", "--output", "none", *options], check=True)
sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
