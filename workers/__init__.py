"""Holds the worker processes, their engines, and the code that trains and evaluates them."""

import os

# numpy's OpenBLAS starts one spinning thread for each core. A second thread doubled the CPU time of
# Whisper's mel. OpenBLAS reads this variable when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
