#!/bin/sh
# The search on a few hundred images: its contract, files, refusals, and that it goes on after a stop.
# SPDX-License-Identifier: Apache-2.0
#
# usage: fit.sh ESPALIER WORK
set -eu
espalier=$1 work=$2
data=/usr/share/datasets/fashion-mnist

if [ ! -f $data/t10k-images-idx3-ubyte.gz ]; then
	echo "SKIPPED: $data is not there: install Debian's package dataset-fashion-mnist"
	exit 77
fi
rm -rf "$work"
mkdir -p "$work/data"
cd "$work"

# word N: four bytes, the most significant first
word() { printf "\\$(printf '%03o' $(($1 >> 24)))\\$(printf '%03o' $(($1 >> 16 & 255)))\\$(printf '%03o' $(($1 >> 8 & 255)))\\$(printf '%03o' $(($1 & 255)))"; }
# part NAME COUNT: the first COUNT images and labels
part() {
	{
		word 2051; word "$2"; word 28; word 28
		zcat $data/$1-images-idx3-ubyte.gz 2>/dev/null | tail -c +17 | head -c $((784 * $2))
	} >data/$1-images-idx3-ubyte
	{
		word 2049; word "$2"
		zcat $data/$1-labels-idx1-ubyte.gz 2>/dev/null | tail -c +9 | head -c "$2"
	} >data/$1-labels-idx1-ubyte
}
part train 600
part t10k 200

# expect CODE PATTERN COMMAND...: that exit code, and one line on stderr that holds the pattern
expect() {
	code=$1 pattern=$2
	shift 2
	set +e
	"$@" >out.txt 2>err.txt
	got=$?
	set -e
	if [ $got != "$code" ] || ! grep -q -e "$pattern" err.txt || [ "$(wc -l <err.txt)" -gt 1 ]; then
		echo "$*: exit $got instead of $code, or not '$pattern' in: $(cat err.txt)"
		exit 1
	fi
}
# number FILE KEY: the first number of that key
number() { sed -n "s/^ *\"$2\": \([-0-9.e]*\),*$/\1/p" "$1" | head -1; }
fit() { "$espalier" fit --data data --effort quick --epochs 2 --seed 3 "$@"; }

expect 2 'DIR is missing' fit --board orangecrab-25f
expect 2 '--data DIR is missing' "$espalier" fit --board orangecrab-25f -o a
expect 2 '--board NAME' fit -o a
expect 2 '--clock' fit --multipliers 28 -o a
expect 2 'leave one of them out' fit --board orangecrab-25f --multipliers 28 -o a
expect 2 'quick, normal or thorough' fit --board orangecrab-25f --effort some -o a
expect 2 'a number above 0' fit --board orangecrab-25f --max-latency-ms 0 -o a
expect 3 'missing.json' fit --board orangecrab-25f --teacher missing.json -o a
expect 3 'no-data' "$espalier" fit --data no-data --board orangecrab-25f -o a
expect 4 'takes 11 multipliers' fit --board icebreaker -o a
expect 4 'the envelope has 4' fit --multipliers 4 --clock 50 -o a
mkdir full
echo mine >full/file
expect 3 'no folder of a search' fit --board orangecrab-25f -o full
mkdir broken
echo 'not a database, but long enough to be taken for one if nobody looks' >broken/candidates.sqlite
expect 3 'candidates.sqlite' fit --board orangecrab-25f -o broken

# the whole way
fit --board orangecrab-25f --max-latency-ms 1 -o a --json >a.json
cmp a.json a/report.json
for key in accuracy latency_cycles bytes nonzero_weights multiplications; do
	[ -n "$(number a.json $key)" ] || { echo "no $key in the report"; exit 1; }
done
grep -q '"front": \[' a.json
grep -q '"fits": true' a.json
for file in model.json graph.json accelerator/manifest.json accelerator/plan.json; do
	[ -s a/$file ] || { echo "no $file"; exit 1; }
done
cycles=$(number a.json latency_cycles)
[ "$cycles" -le 48000 ] # 1 ms at 48 MHz
[ "$cycles" = "$(number a/accelerator/manifest.json latency_cycles)" ]
[ "$(number a.json multipliers)" -le 28 ]
[ "$(number a.json block_rams)" -le 56 ]

# ready to compile: the plan is what compile makes of the same envelope
"$espalier" compile a/model.json --array "$(sed -n 's/^  "array": "\(.*\)",$/\1/p' a.json)" \
	--requantizers "$(number a.json requantizers)" --memory 129024 -o compiled --quiet
[ "$cycles" = "$(number compiled/manifest.json latency_cycles)" ]
cmp compiled/program.bin a/accelerator/program.bin

# a finished search is not repeated
cp -r a again
fit --board orangecrab-25f --max-latency-ms 1 -o again >again.txt
grep -q '^0 trainings in this run' again.txt
diff -r --exclude candidates.sqlite a again

# a stopped one goes on, to the same answer; stops at several places
stops=0
for wait in 0.3 0.7 1.1 1.5; do
	# exec, so that the signal goes to the search and not to a shell
	(exec "$espalier" fit --data data --effort quick --epochs 2 --seed 3 --board orangecrab-25f \
		--max-latency-ms 1 -o b >b.txt 2>&1) &
	search=$!
	sleep $wait
	kill -INT $search 2>/dev/null || true
	set +e
	wait $search
	code=$?
	set -e
	[ $code = 130 ] || [ $code = 0 ] || { echo "stopped: exit $code"; cat b.txt; exit 1; }
	[ $code = 0 ] || stops=$((stops + 1))
done
fit --board orangecrab-25f --max-latency-ms 1 -o b >b.txt
[ $stops -gt 0 ] || { echo "no search was stopped"; exit 1; }
diff -r --exclude candidates.sqlite a b

# what does not fit is said with numbers, and what comes closest
expect 4 'nearest' fit --board orangecrab-25f --max-latency-ms 0.001 -o slow
grep -q '"fits": false' slow/report.json
grep -q '"nearest"' slow/report.json
[ ! -e slow/model.json ]
expect 4 'of validation' fit --board orangecrab-25f --max-latency-ms 1 --min-accuracy 99.9 -o again

# a network that is given, as the teacher of its own smaller selves
"$espalier" train --data data --family width=4,shrink=2 --epochs 6 --batch 32 -o float.json --quiet
fit --board orangecrab-25f --model float.json --teacher float.json -o given --json >given.json
grep -q '"candidate": "model keep=' given.json
[ "$(number given.json multiplications)" = 40544 ]
[ -s given/accelerator/manifest.json ]
expect 3 'a.json' fit --board orangecrab-25f --model a.json -o other
