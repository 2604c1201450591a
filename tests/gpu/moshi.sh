#!/usr/bin/env bash
# Take all GPU figures of ENGINE=moshi in one run of at most 9 minutes:
#   tests/gpu/moshi.sh [FOLDER [SECONDS]]   SECONDS: of each bench, after which it begins no batch
#
# It needs one GPU (80 GB or more for the goals) and Python with the extras worker, moshi and dev. It
# needs no network and no weights. The tests compare the GPU with the CPU. The benches fill a model of Moshi's
# size with random weights. Goals: 100 calls on an H200 or 60 on an H100 with a p99 below 80 ms, and
# one call below 12 ms a step. Without a GPU it runs on the tiny checkpoint, to show that it works.
#
# Each bench writes its tables after each batch, so a run that is cut short leaves what it found.
set -uo pipefail
cd "$(dirname "$0")/../.."
into=${1:-${OUT:-runs/moshi}}
within=${2:-110}
mkdir -p "$into"
export PYTHONPATH=$PWD
python=${PYTHON:-python}
status=0

part() { # NAME SECONDS COMMAND...: run it within a time limit and keep its output
    local name=$1 limit=$2
    shift 2
    echo "== $name (at most $limit s) =="
    timeout --kill-after=10 "$limit" "$@" 2>&1 | tee "$into/$name.log" || { echo "FAILED: $name"; status=1; }
}

command -v nvidia-smi > /dev/null && nvidia-smi | tee "$into/nvidia-smi.txt"
part tests 90 "$python" -m pytest -q -p no:cacheprovider -m gpu tests/gpu/test_moshi.py
for precision in full fp8 int8; do
    part "$precision" $((within + 25)) env MOSHI_PRECISION=$precision \
        "$python" -m tests.load moshi --within-s "$within" --into "$into/$precision"
done
echo "== written to $into =="
grep -h "Calls with a p99" "$into"/*/benchmarks.md
exit $status
