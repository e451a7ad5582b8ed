"""Start the emulator with the interpreter that is to run the Lambdas: `launcher.py LAMBDA_PYTHON`.

Run with the emulator's own Python. It would start the Lambdas with that one too, and its packages
would be found before those of their layer; a bare interpreter has none.
"""

import sys

from ministack.app import main

sys.executable = sys.argv.pop()
main()
