"""The worker processes, their engines, and what trains and judges them."""

import os

# numpy's OpenBLAS starts a thread for each core and lets them spin: the second one doubled the CPU
# time of Whisper's mel. It reads this when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
