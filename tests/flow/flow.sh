#!/bin/sh
# Bitstreams: the contract of build, doctor and flash, and place-and-route that really runs.
# SPDX-License-Identifier: Apache-2.0
#
# usage: flow.sh ESPALIER WORK SOURCE contract|page|docs|ice40|ecp5|gowin|engine [BOARD]
#
# Most cases put tests/flow/echo_top.sv in the engine's place: clock, reset, link, tools and files
# are the real ones, and a run takes seconds.
set -eu
espalier=$1 source=$3 case=$4 board=${5:-}
work=$2/$case$board

rm -rf "$work"
mkdir -p "$work"
cd "$work"

# expect CODE PATTERN COMMAND...: that exit code, and one line on stderr that holds the pattern
expect() {
	code=$1 pattern=$2
	shift 2
	set +e
	"$@" >out.txt 2>err.txt
	got=$?
	set -e
	if [ $got != "$code" ] || ! grep -q "$pattern" err.txt || [ "$(wc -l <err.txt)" -gt 1 ]; then
		echo "$*: exit $got instead of $code, or not '$pattern' in: $(cat err.txt)"
		exit 1
	fi
}

# compiled [echo]: the folder "in", of a small network
compiled() {
	"$espalier" compile "$source/tests/flow/tiny.json" --array 8x1 --memory 100000000 -o in --quiet
	if [ "${1:-}" = echo ]; then cp "$source/tests/flow/echo_top.sv" in/rtl/espl_top.sv; fi
}

need() {
	"$espalier" doctor --board "$1" >doctor.txt 2>&1 || {
		cat doctor.txt
		echo "SKIPPED: tools for $1 are not there"
		exit 77
	}
}

field() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$2"; }

# the sums in the lock file are those of the files
check_lock() {
	sed -n '/"inputs"/,$s/^ *"\([^"]*\)": "\([0-9a-f]\{64\}\)".*/\2  \1/p' "$1/espalier.lock" >sums.txt
	[ "$(wc -l <sums.txt)" -ge 12 ]
	(cd "$1" && sha256sum --quiet -c -) <sums.txt
}

# built BOARD: twice, with the same bytes but for the logs
built() {
	"$espalier" build in --board "$1" --seeds 2,7 -o one
	"$espalier" build in --board "$1" --seeds 2,7 -o two --json >two.json
	diff -r -x log one two
	cmp two/build.json two.json
	check_lock one
	[ -s "one/$(field bitstream one/build.json)" ]
	[ "$(field board one/build.json)" = "$1" ] && [ "$(field meets_clock one/build.json)" = true ]
	grep -q '"worst_mhz"' one/build.json && grep -q '"median_mhz"' one/build.json
	[ -s one/log/commands.txt ] && [ -s one/log/nextpnr-seed7.log ]
	"$espalier" flash one --dry-run | grep -q "^. openFPGALoader .* one/bitstream"
}

# missed BOARD MHZ: a clock too fast is refused and leaves nothing; it is kept when asked for
missed() {
	expect 1 'no seed of 1 meets' "$espalier" build in --board "$1" --freq "$2" --seeds 1 -o slow --quiet
	[ ! -e slow ]
	"$espalier" build in --board "$1" --freq "$2" --seeds 1 --allow-slow -o slow --quiet
	[ "$(field meets_clock slow/build.json)" = false ]
}

case $case in
contract)
	compiled echo
	unset ESPALIER_TOOLS
	export XDG_DATA_HOME="$work/none" ESPALIER_BOARDS=
	expect 2 'DIR is missing' "$espalier" build in --board icebreaker
	expect 2 'was not compiled for a board' "$espalier" build in -o out
	expect 2 'no such board' "$espalier" build in --board moon -o out
	expect 2 'folder to build from' "$espalier" build in --board icebreaker -o in
	expect 2 'list such as' "$espalier" build in --board icebreaker --seeds 0 -o out
	expect 2 'there twice' "$espalier" build in --board icebreaker --seeds 3,3 -o out
	expect 2 'MHz from 1' "$espalier" build in --board icebreaker --freq fast -o out
	expect 3 'no clock of 13 MHz' "$espalier" build in --board icebreaker --freq 13 -o out
	expect 3 'baud need a clock' "$espalier" build in --board ulx3s-85f --freq 10 -o out
	expect 3 'manifest.json' "$espalier" build . --board icebreaker -o out
	expect 3 'no build.json' "$espalier" flash in
	expect 2 'no such board' "$espalier" doctor --board moon
	mkdir empty
	expect 5 'icebreaker needs .*nextpnr-ice40.*apt-get install' env PATH="$work/empty" "$espalier" doctor --board icebreaker
	expect 5 'is not there: ' env PATH="$work/empty" "$espalier" build in --board icebreaker -o out
	expect 5 'doctor --install' env PATH="$work/empty" "$espalier" doctor --board tang-nano-9k
	env PATH="$work/empty" "$espalier" doctor | grep -c 'missing: ' | grep -q '^10$'
	"$espalier" doctor --json | grep -q '"name": "nextpnr-ecp5"'
	[ ! -e out ] && [ ! -e out.log ]

	# a dry run needs no tools and writes nothing
	for board in $("$espalier" boards | awk '{ print $1 }'); do
		env PATH="$work/empty" "$espalier" build in --board "$board" --seeds 3 --dry-run >dry.txt
		[ "$(grep -c '^. .*nextpnr' dry.txt)" = 3 ]
		[ "$(wc -l <dry.txt)" = 5 ]
		# board.json and the file of pins say the same
		json=$source/boards/$board/board.json
		pins=$source/boards/$board/$(field pins "$json")
		for pin in "$(field pin "$json")" "$(field receive "$json")" "$(field transmit "$json")"; do
			grep -q "[ \"]$pin[\";]*\$" "$pins" || { echo "$pins has no $pin"; exit 1; }
		done
	done

	# every top is clean, over the real engine (whose emitted top leaves what is watched open)
	"$espalier" compile "$source/tests/flow/tiny.json" --array 8x1 --memory 100000000 -o engine --quiet
	for top in "$source"/boards/*/top.sv; do
		verilator --lint-only -Wall -Wno-PINCONNECTEMPTY -sv -Iengine/rtl engine/rtl/espl_pkg.sv engine/rtl/*/*.sv \
			engine/rtl/espl_top.sv "$source"/boards/*.sv "$source/boards/generic/espl_clock.sv" "$top" --top-module top
	done

	# a tool that fails: its log stays, nothing else does
	mkdir bin
	printf '#!/bin/sh\necho "ERROR: out of luck"\nexit 3\n' >bin/yosys
	printf '#!/bin/sh\necho tool 1\n' >bin/nextpnr-ice40
	cp bin/nextpnr-ice40 bin/icepack
	chmod +x bin/*
	expect 6 'yosys ended with 3: out of luck; see out.log' env ESPALIER_TOOLS="$work" "$espalier" build in --board icebreaker -o out --quiet
	[ ! -e out ] && [ ! -e out.part0 ] && grep -q 'out of luck' out.log
	# a warning after which the netlist is not the source's
	printf '#!/bin/sh\necho "Warning: Identifier x is implicitly declared."\n' >bin/yosys
	expect 6 'implicitly declared' env ESPALIER_TOOLS="$work" "$espalier" build in --board icebreaker -o out --quiet
	# more than the chip has
	printf '#!/bin/sh\ntrue\n' >bin/yosys
	printf '#!/bin/sh\n[ "$1" = --version ] && exit\necho "Info:       ICESTORM_LC: 11824/ 7680 153%%"\necho "ERROR: no luck"\nexit 1\n' >bin/nextpnr-ice40
	expect 4 'needs 11824 ICESTORM_LC of 7680' env ESPALIER_TOOLS="$work" "$espalier" build in --board icebreaker -o out --quiet
	[ ! -e out ]

	# more than the chip has, which needs no place and route: Yosys' table, older and newer
	for table in 'SB_LUT4 11000' '11000 SB_LUT4'; do
		printf '#!/bin/sh\nprintf "=== part ===\\n  SB_LUT4 9\\n=== top ===\\n  %s\\n  SB_MAC16 9\\n  SB_DFFE 7000\\n" >log/cells.txt\n' "$table" >bin/yosys
		printf '#!/bin/sh\n[ "$1" = --version ] && exit\ntouch "%s/placed"\nexit 1\n' "$work" >bin/nextpnr-ice40
		expect 4 'needs 11000 LUTs of 5280, 7000 flip-flops of 5280, 9 multipliers of 8' env ESPALIER_TOOLS="$work" "$espalier" build in --board icebreaker -o out --quiet
		[ ! -e placed ] && [ ! -e out ]
	done
	printf '#!/bin/sh\ntrue\n' >bin/yosys
	# place and route that does not end
	printf '#!/bin/sh\n[ "$1" = --version ] && exit\necho "Info: placing"\nexec sleep 60\n' >bin/nextpnr-ice40
	expect 6 'of 2 of 2 seeds was stopped after 0.0333 minutes.*--time-limit; see out.log' env ESPALIER_TOOLS="$work" "$espalier" build in --board icebreaker --seeds 2 --time-limit 0.03 -o out --quiet
	[ ! -e out ] && grep -q placing out.log
	expect 2 'minutes are wanted' "$espalier" build in --board icebreaker --time-limit soon -o out

	# worst and median of all seeds, one of which does not route; the fastest is shipped
	printf '#!/bin/sh\n>net.json\n' >bin/yosys
	cat >bin/nextpnr-ice40 <<'TOOL'
#!/bin/sh
[ "$1" = --version ] && exit
while [ "$1" != --seed ]; do [ "$1" = --asc ] && asc=$2; shift; done
[ "$2" != 3 ] || exit 1
echo "placed with seed $2" >"$asc"
cat >"seed$2.json" <<REPORT
{"fmax": {"slow": {"achieved": $((10 + $2)).5, "constraint": 12}, "fast": {"achieved": 99, "constraint": 12}},
 "utilization": {"LC": {"used": 7, "available": 9}, "PLL": {"used": 0, "available": 1}},
 "critical_paths": [{"from": "async", "to": "posedge a", "path": []}, {"from": "posedge a", "to": "posedge a", "path": [
  {"delay": 1.5, "type": "clk-to-q", "from": {"cell": "one", "port": "C"}, "to": {"cell": "one", "port": "Q"}},
  {"delay": 2.25, "type": "routing", "from": {"cell": "one", "port": "Q"}, "to": {"cell": "two", "port": "D"}}]}]}
REPORT
TOOL
	printf '#!/bin/sh\n[ $# = 2 ] && cp "$1" "$2"\n' >bin/icepack
	export ESPALIER_TOOLS="$work"
	"$espalier" build in --board icebreaker --seeds 4 -o out >said.txt
	grep -q '^seed 3 .*does not route' said.txt && grep -q '^seed 4 .*this bitstream' said.txt
	grep -q 'worst 0.00, median 12.00 of 4 seeds' said.txt
	grep -q 'placed with seed 4' out/bitstream.bin
	grep -q '"LC": \[7, 9\]' out/build.json && ! grep -q PLL out/build.json
	[ "$(field logic_ns out/build.json) $(field routing_ns out/build.json)" = "1.5 2.25" ]
	[ "$(field from out/build.json) $(field to out/build.json)" = "one.C two.D" ]
	[ "$(field shipped_seed out/build.json)" = 4 ] && check_lock out
	expect 1 'no seed of 1 meets 12 MHz: worst 11.50' "$espalier" build in --board icebreaker --seeds 1 -o slow --quiet
	# an older bitstream is replaced by a newer one, and by nothing else
	"$espalier" build in --board icebreaker --seeds 2,4 -o out --quiet
	mkdir mine && touch mine/file
	expect 3 'mine' "$espalier" build in --board icebreaker -o mine --quiet
	[ -e mine/file ] && [ -z "$(find . -name '*.part*')" ]

	# interrupted: what runs is ended, and nothing is left
	printf '#!/bin/sh\n[ "$1" = --version ] || { echo $$ >"%s/pid"; exec sleep 60; }\n' "$work" >bin/nextpnr-ice40
	"$espalier" build in --board icebreaker --seeds 1 -o late --quiet &
	child=$!
	while [ ! -s pid ]; do sleep 0.1; done
	kill -INT $child
	set +e
	wait $child
	[ $? = 130 ] || { echo "interrupted: not exit code 130"; exit 1; }
	set -e
	! kill -0 "$(cat pid)" 2>/dev/null
	[ -z "$(find . -name 'late*')" ]
	;;
page)
	# the board that docs/boards.md adds
	mkdir boards
	awk -v to=boards '/^```[a-z]+ [^ ]+\/[^ ]+$/ { file = to "/" $2; dir = file; sub(/\/[^\/]*$/, "", dir); system("mkdir -p " dir); next }
		/^```$/ { file = "" } file { print >file }' "$source/docs/boards.md"
	ESPALIER_BOARDS=$work/boards
	export ESPALIER_BOARDS
	added=$(ls boards)
	"$espalier" boards | grep -q "^$added "
	compiled echo
	need "$added"
	"$espalier" build in --board "$added" --seeds 1 -o one
	"$espalier" flash one --dry-run | grep -q "^. openFPGALoader .* one/bitstream"
	# and a change that makes it malformed
	sed 's/"luts"/"lutes"/' "boards/$added/board.json" >wrong.json && mv wrong.json "boards/$added/board.json"
	expect 3 "$added/board.json: chip: .*lutes" "$espalier" build in --board "$added" -o two
	;;
docs)
	# the commands that docs/build.md shows
	need orangecrab-25f
	cp "$source/models/fashion/fashion.tflite" model.tflite
	mkdir bin && ln -s "$espalier" bin/espalier
	PATH=$work/bin:$PATH
	awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$source/docs/build.md" >commands
	[ "$(wc -l <commands)" -ge 4 ]
	while read -r line; do
		echo "\$ $line"
		sh -c "$line" </dev/null
		[ "$line" = "${line#espalier compile}" ] || cp "$source/tests/flow/echo_top.sv" out/rtl/espl_top.sv
	done <commands
	[ -s bitstream/bitstream.bit ]
	;;
ice40)
	compiled echo
	need ice40-hx8k-breakout
	built ice40-hx8k-breakout
	missed ice40-hx8k-breakout 200
	# the PLL of a chip whose clock pin is the PLL's own
	"$espalier" build in --board icebreaker --freq 24 --seeds 1 -o icebreaker --quiet
	# what was built is what is loaded
	printf x >>one/bitstream.bin
	expect 1 'is not the bitstream that was built' "$espalier" flash one --dry-run
	expect 1 'built for ice40-hx8k-breakout' "$espalier" flash two --board icebreaker --dry-run
	;;
ecp5)
	compiled echo
	need orangecrab-25f
	built orangecrab-25f
	;;
gowin)
	compiled echo
	need "$board"
	built "$board"
	grep -q '"note": "nextpnr has no timing of Gowin' one/build.json
	;;
engine)
	compiled
	need "$board"
	"$espalier" build in --board "$board" --freq 24 --seeds 1 -o one
	check_lock one
	;;
*)
	echo "usage: $0 ESPALIER WORK SOURCE CASE [BOARD]" >&2
	exit 2
	;;
esac
echo "$case $board: as it should be"
