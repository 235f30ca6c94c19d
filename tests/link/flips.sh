#!/bin/sh
# Inferences on the simulated board, one bit of 10 000 wrong both ways: every result must be right.
# SPDX-License-Identifier: Apache-2.0
#
# usage: flips.sh ESPALIER WORK MODEL SAMPLES   (SAMPLES: a number of test images)
set -eu
espalier=$1 work=$2 model=$3 samples=$4
here=$(cd "$(dirname "$0")" && pwd)

mkdir -p "$work/flips"
export ESPALIER_CACHE="$work/cache"
"$here/../cosim/images.sh" "$work/flips/images.bin" "$samples"
cd "$work/flips"
"$espalier" compile "$model" --array 8x1 -o net --quiet
"$espalier" reference net --input images.bin --output expected.bin --quiet
"$espalier" board-sim net --link port --seed 11 --faults flip=100 >port.txt 2>&1 &
board=$!
trap 'kill $board' EXIT
for _ in $(seq 1200); do
	[ -L port ] && break
	sleep 0.1
done
"$espalier" run net --input images.bin --output got.bin --port port
cmp got.bin expected.bin
