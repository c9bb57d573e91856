"""What Lambda starts: a module for each function of the API, with the blueprints of its callers alone.

`app.py` has them all, for one machine and for `chalice`. Importing an entry builds the gateway of its environment.
"""

import gc

gc.disable()  # what a start loads stays: looking through it for garbage would be a tenth of the start; start.py ends the pause
