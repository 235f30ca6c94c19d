#!/bin/sh
# Training here and in PyTorch, in turns: images a second of processor time, best of the rounds.
# SPDX-License-Identifier: Apache-2.0
#
# usage: train.sh TRAIN_BENCH PYTHON [THREADS [ROUNDS]]
# Exit code 1: PyTorch is faster on one of the two networks. 77: it is not there.
set -eu
bench=$1 python=$2 threads=${3:-1} rounds=${4:-3}
here=$(dirname "$0")

"$python" -c 'import torch' 2>/dev/null || { echo "SKIPPED: PyTorch is not there"; exit 77; }
echo "threads $threads, batches of 128; images a second of processor time (and of the clock)"
slower=0
for depth in 1 2; do
	: >ours.txt
	: >theirs.txt
	round=0
	while [ $round -lt "$rounds" ]; do
		"$bench" "width=16,pool,depth=$depth" "$threads" 43 >>ours.txt
		OMP_NUM_THREADS=$threads "$python" "$here/train_torch.py" $depth "$threads" 23 >>theirs.txt
		round=$((round + 1))
	done
	awk -v depth=$depth '
	FILENAME == "ours.txt" { if ($1 > o) o = $1; if ($2 > ow) ow = $2; next }
	{ if ($1 > t) t = $1; if ($2 > tw) tw = $2 }
	END {
		printf "depth %d: Espalier %.0f (%.0f), PyTorch %.0f (%.0f), ratio %.2f\n", depth, o, ow, t, tw, o / t
		exit o < t
	}' ours.txt theirs.txt || slower=1
	rm -f ours.txt theirs.txt
done
exit $slower
