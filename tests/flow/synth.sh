#!/bin/sh
# Synthesizes an engine with Yosys and compares DSPs with the plan's formula.
# SPDX-License-Identifier: Apache-2.0
#
# usage: tests/flow/synth.sh LANES SPLITS REQUANTIZERS ecp5|ice40, from the repository's root
set -eu
lanes=$1 splits=$2 requantizers=$3 family=$4
parameters="-set Lanes $lanes -set Splits $splits -set Requantizers $requantizers -set WideDepth 1024"
parameters="$parameters -set NarrowDepth 1024 -set TapDepth 512 -set ParamDepth 1024 -set GroupDepth 512"
parameters="$parameters -set BlockDepth 256 -set EntryDepth 512 -set LayerDepth 64 -set OutputDepth 64"
case $family in
ecp5) flow="synth_ecp5 -top espl_engine" ;;
ice40) flow="synth_ice40 -device u -dsp -top espl_engine" parameters="$parameters -set MaxPool 0 -set Tables 0 -set PadMax 1" ;;
*) echo "usage: $0 LANES SPLITS REQUANTIZERS ecp5|ice40" >&2; exit 2 ;;
esac
cd rtl
report=$(mktemp)
trap 'rm -f "$report"' EXIT
yosys -q -p "read_verilog -sv -defer -I. $(echo espl_pkg.sv memory/*.sv compute/*.sv shell/*.sv); \
	chparam $parameters espl_engine; hierarchy -top espl_engine -check; $flow; tee -q -o $report stat"
sed -n '/design hierarchy/,$p' "$report" | grep -E 'LUT4|_FF|DFF|DP16KD|MULT18|MAC16|RAM40|CCU2C|CARRY'
if [ "$family" = ecp5 ]; then
	dsps=$(sed -n '/design hierarchy/,$p' "$report" | awk '$1 == "MULT18X18D" { print $2 }')
	echo "DSPs: $dsps, planned $((lanes * splits / 2 + requantizers))"
	[ "$dsps" = $((lanes * splits / 2 + requantizers)) ]
fi
