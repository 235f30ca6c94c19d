#!/bin/sh
# The RTL is clean: Verilator -Wall without waivers at several shapes, Yosys reads and checks it.
# SPDX-License-Identifier: Apache-2.0
#
# usage: rtl.sh, from the repository's root
set -eu
cd rtl
sources="espl_pkg.sv memory/*.sv compute/*.sv shell/*.sv link/*.sv"
while read -r shape; do
	# shellcheck disable=SC2086
	verilator --lint-only -Wall -sv -I. $sources --top-module espl_engine $shape
	echo "verilator: ${shape:-default} clean"
done <<'SHAPES'

-GLanes=16 -GSplits=8 -GRequantizers=8
-GLanes=8 -GSplits=1 -GRequantizers=1 -GWideDepth=1024 -GNarrowDepth=4096 -GTapDepth=256 -GPadMax=1 -GMaxPool=0 -GTables=0
-GLanes=16 -GSplits=8 -GRequantizers=4 -GPadMax=5 -GTables=2
-GLanes=8 -GSplits=4 -GRequantizers=2
-GLanes=8 -GSplits=8 -GRequantizers=8
-GLanes=32 -GSplits=2 -GRequantizers=2
SHAPES
for line in "25000000 3000000" "12000000 3000000" "100000000 115200"; do
	# shellcheck disable=SC2086
	set -- $line
	# shellcheck disable=SC2086
	verilator --lint-only -Wall -sv -I. $sources ../sim/espl_board_sim.sv --top-module espl_board_sim \
		-GClockHz="$1" -GBaud="$2"
	echo "verilator: link and engine, $1 Hz, $2 baud clean"
done
command -v yosys >/dev/null || { echo "SKIPPED: yosys is not there"; exit 77; }
for shape in "16 8 8" "8 1 1"; do
	# shellcheck disable=SC2086
	set -- $shape
	yosys -q -p "read_verilog -sv -defer -I. $(echo $sources); chparam -set Lanes $1 -set Splits $2 \
		-set Requantizers $3 espl_engine; hierarchy -top espl_engine -check; proc; check -assert"
	echo "yosys: $1x$2 checks"
done
for line in "25000000 3000000" "12000000 115200"; do
	# shellcheck disable=SC2086
	set -- $line
	yosys -q -p "read_verilog -sv -defer -I. $(echo $sources); chparam -set ClockHz $1 -set Baud $2 \
		espl_link; hierarchy -top espl_link -check; proc; check -assert"
	echo "yosys: link at $1 Hz, $2 baud checks"
done
