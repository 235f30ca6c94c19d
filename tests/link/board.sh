#!/bin/sh
# The driver on a simulated board behind a pseudo-terminal: load, run, known answers; faults on the
# line, a host that is killed, a board that is reset, every error with its own line and exit code.
# SPDX-License-Identifier: Apache-2.0
#
# usage: board.sh ESPALIER WORK MODEL SAMPLES
set -eu
espalier=$1 work=$2 model=$3 samples=$4

mkdir -p "$work"
export ESPALIER_CACHE="$work/cache"
rm -rf "$work/board"
mkdir "$work/board"
cd "$work/board"
boards=
trap 'for b in $boards; do kill "$b" 2>/dev/null || :; done' EXIT

# board LINK DIR [OPTIONS]: a simulated board, its port at LINK
board() {
	link=$1
	shift
	rm -f "$link.txt" # the last board's
	"$espalier" board-sim "$@" --link "$link" >"$link.txt" 2>&1 &
	boards="$boards $!"
	last=$!
	for _ in $(seq 1200); do
		[ -s "$link.txt" ] && break
		kill -0 $last 2>/dev/null || break
		sleep 0.1
	done
	[ -L "$link" ] || { cat "$link.txt"; exit 1; }
}

# expect CODE PATTERN COMMAND...: that exit code within 30 s, and one line on stderr with the pattern
expect() {
	code=$1 pattern=$2
	shift 2
	set +e
	timeout 30 "$@" >out.txt 2>err.txt
	got=$?
	set -e
	if [ $got != "$code" ] || ! grep -q "$pattern" err.txt || [ "$(wc -l <err.txt)" -gt 1 ]; then
		echo "$*: exit $got instead of $code, or not '$pattern' in: $(cat err.txt)"
		exit 1
	fi
}
number() { sed -n "s/^  \"$2\": \([0-9]*\).*/\1/p" "$1"; }

"$espalier" compile "$model" --array 8x1 -o net --quiet
"$espalier" compile "$model" --array 16x8 -o other --quiet
"$espalier" reference net --input "$samples" --samples 12 --output expected.bin --quiet

# known answers anywhere
"$espalier" run net --kat --json >sim.json
board port net
"$espalier" run net --kat --port port --json >first.json
"$espalier" run net --kat --port port --json >second.json
first=$(number first.json link_frames) second=$(number second.json link_frames)
echo "frames: $first with the program, $second when it was there already"
[ "$second" -lt $((first / 4)) ]
[ "$(number sim.json engine_cycles)" = "$(number second.json engine_cycles)" ]
planned=$(sed -n 's/^  "latency_cycles": \([0-9]*\).*/\1/p' net/manifest.json)
echo "cycles of the engine: $(number second.json engine_cycles), latency planned: $planned"
[ "$(number second.json engine_cycles)" -gt $((planned * 9 / 10)) ]
[ "$(number second.json engine_cycles)" -le "$planned" ]
cp -r net wrong
printf '\377' | dd of=wrong/kat/output.bin bs=1 seek=13 conv=notrunc 2>/dev/null
expect 1 'known-answer test: sample 1, output' "$espalier" run wrong --kat --port port

# results and --output as on the simulation
"$espalier" run net --input "$samples" --samples 12 --output got.bin --port port
cmp got.bin expected.bin
"$espalier" run net --input "$samples" --samples 12 --output got.bin --quiet
cmp got.bin expected.bin

# what can be wrong with a port, each by its name
expect 7 'no such port' "$espalier" run net --kat --port nowhere
echo text >file
expect 7 'not a serial port' "$espalier" run net --kat --port file
expect 2 'no speed of a serial port' "$espalier" run net --kat --port port --baud 12345
expect 2 'belong to a --port' "$espalier" run net --kat --baud 115200
expect 2 'brings its own' "$espalier" run net --kat --samples 1
expect 7 'is engine [0-9a-f]*, the manifest wants [0-9a-f]*' "$espalier" run other --kat --port port
flock -o port sleep 5 &
sleep 0.3
expect 7 'busy' "$espalier" run net --kat --port port
kill $!
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 600 "$(readlink port)"
	chown 0 "$(readlink port)"
	cp -r net /tmp/espalier-board-$$
	expect 7 'permission denied' setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$espalier" run "/tmp/espalier-board-$$" --kat --port "$(readlink port)"
	rm -rf "/tmp/espalier-board-$$"
fi

# a host that is killed in mid-transfer leaves a link that works
for delay in 0.2 0.35 0.5 0.65 0.8; do
	"$espalier" run net --input "$samples" --samples 12 --output got.bin --port port --quiet &
	host=$!
	sleep $delay
	kill -9 $host 2>/dev/null || :
	wait $host 2>/dev/null || :
	"$espalier" run net --kat --port port --quiet
done

# a dead board: the driver says so, and closes at once
kill -STOP $last
expect 7 'no answer' "$espalier" run net --kat --port port
kill -CONT $last
"$espalier" run net --kat --port port --quiet
kill $last
wait $last
[ ! -L port ]

# every kind of fault but a reset is repaired
board port net --seed 3 --faults flip=50,drop=20,duplicate=10,truncate=10,garbage=20,stall=2
"$espalier" run net --input "$samples" --samples 12 --output got.bin --port port --json >faults.json
cmp got.bin expected.bin
"$espalier" run net --kat --port port
echo "with faults: $(number faults.json link_frames) frames, $(number faults.json link_retries) sent" \
	"again, $(number faults.json link_errors) damaged"
[ "$(number faults.json link_retries)" -gt 0 ]
kill $last

# a board that is reset now and then: right or reported as failed, and alive afterwards
board port net --seed 4 --faults reset=3
right=0 failed=0
for _ in $(seq 20); do
	[ $right -gt 0 ] && [ $failed -gt 0 ] && break
	rm -f got.bin
	set +e
	timeout 60 "$espalier" run net --input "$samples" --samples 12 --output got.bin --port port \
		--quiet 2>err.txt
	code=$?
	set -e
	case $code in
	0)
		cmp got.bin expected.bin
		right=$((right + 1))
		;;
	7)
		grep -q 'was reset and has lost the session' err.txt || { cat err.txt; exit 1; }
		[ ! -e got.bin ]
		failed=$((failed + 1))
		;;
	*)
		cat err.txt
		exit 1
		;;
	esac
done
echo "with resets: $right runs right, $failed reported as failed"
[ $right -gt 0 ] && [ $failed -gt 0 ]
