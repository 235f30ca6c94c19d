#!/bin/sh
# Trains and distils by the command line: same bytes again, after an interruption, on a full disk.
# SPDX-License-Identifier: Apache-2.0
#
# usage: train.sh ESPALIER WORK
set -eu
espalier=$1 work=$2

rm -rf "$work"
mkdir -p "$work/data"
cd "$work"

# bars that lie or stand, as IDX: 8 x 8 images of 2 classes
idx() {
	LC_ALL=C awk -v n="$1" -v seed="$2" -v what="$3" '
	function byte(b) { printf "\\0%03o", b }
	BEGIN {
		srand(seed)
		byte(0); byte(0); byte(8); byte(what == "images" ? 3 : 1)
		byte(0); byte(0); byte(int(n / 256)); byte(n % 256)
		if (what == "images") { byte(0); byte(0); byte(0); byte(8); byte(0); byte(0); byte(0); byte(8) }
		for (s = 0; s < n; s++) {
			if (what != "images") { byte(s % 2); continue }
			place = int(8 * rand())
			for (r = 0; r < 8; r++)
				for (c = 0; c < 8; c++)
					byte(((s % 2 ? c : r) == place ? 180 : 20) + int(50 * rand()))
		}
	}' </dev/null | xargs -0 printf '%b' >"data/$4"
}
idx 400 1 images train-images-idx3-ubyte
idx 400 1 labels train-labels-idx1-ubyte
idx 100 2 images t10k-images-idx3-ubyte
idx 100 2 labels t10k-labels-idx1-ubyte
how="--data data --family width=4,stages=2 --validation 100 --batch 20 --flip --shift 1 --erase 0.2 --ema 0.9"

# expect CODE PATTERN COMMAND...: that exit code, and one line on stderr that holds the pattern
expect() {
	code=$1 pattern=$2
	shift 2
	set +e
	"$@" >out.txt 2>err.txt
	got=$?
	set -e
	if [ $got != "$code" ] || ! grep -q -- "$pattern" err.txt || [ "$(wc -l <err.txt)" -gt 1 ]; then
		echo "$*: exit $got instead of $code, or not '$pattern' in: $(cat err.txt)"
		exit 1
	fi
}

# it learns, says so, and is quiet in a pipe
# shellcheck disable=SC2086
"$espalier" train $how --epochs 8 --json -o first.json --log log.csv >report.json 2>err.txt
[ ! -s err.txt ]
awk -F '[:,]' '/"test_accuracy"/ { found = $2 > 0.9 } END { exit !found }' report.json
grep -q '"validation_accuracy"' report.json
[ "$(wc -l <log.csv)" = 9 ]

# the same bytes again, with other threads, and after interruptions
# shellcheck disable=SC2086
"$espalier" train $how --epochs 8 --threads 3 -o second.json --quiet
cmp first.json second.json
# shellcheck disable=SC2086
"$espalier" train $how --epochs 400 -o whole.json --quiet
interruptions=0
for pause in 0.3 0.5 0.7; do
	rm -f parts.json
	# shellcheck disable=SC2086
	"$espalier" train $how --epochs 400 --checkpoint run.ckpt --resume -o parts.json --quiet &
	sleep $pause
	kill -INT $! 2>/dev/null || true
	set +e
	wait $!
	code=$?
	set -e
	[ $code = 130 ] || [ $code = 0 ]
	[ $code = 130 ] && [ ! -e parts.json ] && interruptions=$((interruptions + 1))
done
# shellcheck disable=SC2086
"$espalier" train $how --epochs 400 --checkpoint run.ckpt --resume -o parts.json --quiet
cmp whole.json parts.json
echo "$interruptions interruptions"
[ $interruptions -gt 0 ]

# a checkpoint that cannot be written leaves the older one
cp run.ckpt before.ckpt
# shellcheck disable=SC2086,SC3045
if (trap '' XFSZ; ulimit -f 4; exec "$espalier" train $how --epochs 2 --checkpoint run.ckpt -o full.json --quiet) 2>err.txt; then
	echo "a file of 2 KiB held the checkpoint"
	exit 1
fi
grep -q 'run.ckpt' err.txt
cmp run.ckpt before.ckpt
[ ! -e full.json ]
[ "$(find . -name '*.part*' | wc -l)" = 0 ]
# shellcheck disable=SC2086
expect 3 'other options, data or model' "$espalier" train $how --epochs 3 --checkpoint run.ckpt --resume -o a.json

# a student of the first
"$espalier" distil --family width=3,stages=2 --teacher first.json --data data --validation 100 --batch 20 --epochs 8 \
	-o student.json --json >report.json
awk -F '[:,]' '/"test_accuracy"/ { found = $2 > 0.9 } END { exit !found }' report.json
"$espalier" distil student.json --teacher first.json --data data --epochs 1 --batch 20 --validation 0 -o again.json --quiet

expect 2 '--data DIR is missing' "$espalier" train -o a.json
expect 2 '-o MODEL is missing' "$espalier" train --data data
expect 2 '--teacher MODEL is missing' "$espalier" distil --data data -o a.json
expect 2 'width is 0' "$espalier" train --data data --family width=0 -o a.json
expect 2 'sgd or adam' "$espalier" train --data data --optimizer magic -o a.json
expect 2 'a number from' "$espalier" train --data data --rate fast -o a.json
expect 2 'whole number' "$espalier" train --data data --epochs 1.5 -o a.json
expect 3 'nothere' "$espalier" train --data nothere -o a.json
expect 3 'training diverged in epoch' "$espalier" train --data data --family width=4,stages=2 --rate 100 --warmup 0 \
	--validation 100 --batch 20 --epochs 3 -o a.json
expect 3 'report.json' "$espalier" train report.json --data data --validation 100 -o a.json
[ ! -e a.json ]
