#!/bin/sh
# Synthesizes an emitted engine, simulates the netlist in its place, and compares it with the RTL.
# SPDX-License-Identifier: Apache-2.0
#
# usage: netlist.sh ESPALIER WORK MODEL ARRAY ecp5|ice40 INPUT SAMPLES
# Values must be the reference's at every layer boundary and cycles the plan's, with random stalls and
# without. For ECP5 rtl/ecp5 takes the place of the portable forms, as boards/ecp5 does, and the block
# RAMs' own registers are switched on. The cells are Yosys's and those of rtl/ecp5/cells.
# INPUT may be noise:BYTES, for that many bytes made up here.
# Exits with 77 (skipped) when Yosys or Verilator is not there. Run from the repository's root.
set -eu
espalier=$1 work=$2 model=$3 array=$4 family=$5 input=$6 samples=$7
for tool in yosys verilator; do
	command -v $tool >/dev/null || { echo "SKIPPED: $tool is not there"; exit 77; }
done

name=netlist-$(basename "$model" | sed 's/\..*//')-$array-$family
out=$work/$name
mkdir -p "$work"
rm -rf "$out.obj"
mkdir "$out.obj"
# a limit makes every memory as small as the network allows
"$espalier" compile "$model" --array "$array" --memory 100000000 -o "$out" --quiet

case $input in
noise:*)
	LC_ALL=C awk -v n="${input#noise:}" 'BEGIN {
		for (x = 1; n-- > 0; x = x * 16807 % 2147483647) printf "%c", x / 65536 % 256
	}' >"$out.in"
	input=$out.in
	;;
esac
parameter() { sed -n "s/^ *\"$1\": \([0-9]*\).*/\1/p" "$out/manifest.json" | head -1; }
sets=$(sed -n '/"engine": {/,/}/s/^ *"\([A-Za-z]*\)": \([0-9][0-9]*\).*/-set \1 \2/p' "$out/manifest.json" | tr '\n' ' ')
identity=$(sed -n 's/.*"engine_identity": "\([0-9a-f]*\)".*/\1/p' "$out/manifest.json")
data=$(dirname "$(find "$(yosys-config --datdir 2>/dev/null || echo /usr/share/yosys)" -name cells_sim.v -path "*/$family/*")")

files="rtl/espl_pkg.sv $(echo rtl/memory/*.sv rtl/compute/*.sv rtl/shell/*.sv)"
case $family in
ecp5)
	for own in rtl/ecp5/*.sv; do files=$(echo "$files" | sed "s| rtl/[a-z]*/${own##*/}||"); done
	files="$files $(echo rtl/ecp5/*.sv)"
	synth="synth_ecp5 -top espl_engine; setparam -set REGMODE_A \"OUTREG\" -set REGMODE_B \"OUTREG\" *espl_ram_row*/t:DP16KD"
	cells="rtl/ecp5/cells/DP16KD.sv rtl/ecp5/cells/MULT18X18D.sv -DNO_INCLUDES -v $data/cells_sim.v"
	;;
ice40)
	synth="synth_ice40 -device u -dsp -top espl_engine"
	cells="-DNO_ICE40_DEFAULT_ASSIGNMENTS -v $data/cells_sim.v"
	;;
*)
	echo "usage: $0 ESPALIER WORK MODEL ARRAY ecp5|ice40 INPUT SAMPLES" >&2
	exit 2
	;;
esac

yosys -q -p "read_verilog -sv -defer -Irtl $files; chparam $sets -set Identity 32'h$identity espl_engine; \
	$synth; check -assert; rename -top espl_engine; tee -q -o $out.stat stat; write_verilog -noattr $out.v" \
	>"$out.log" 2>&1 || { tail -20 "$out.log"; echo "$name: yosys failed"; exit 1; }
sed -n '/design hierarchy/,$p' "$out.stat" | grep -E 'LUT4|_FF|DP16KD|MULT18|MAC16|RAM40|CCU2C|CARRY|DPR16'

# the same library as host/sim_build.c makes, with the netlist inside
root=$(verilator --getenv VERILATOR_ROOT)
# shellcheck disable=SC2086
{ verilator --cc -O3 --x-assign fast --x-initial fast --noassert -Wno-fatal -Wno-lint -Wno-style -Wno-MODDUP \
	--prefix Vespl_engine --top-module espl_engine --Mdir "$out.obj" -CFLAGS '-fPIC -std=c++17' \
	--output-split 20000 "$out.v" $cells &&
	make -s -j2 -C "$out.obj" -f Vespl_engine.mk OPT_FAST=-O0 OPT_SLOW=-O0 Vespl_engine__ALL.a verilated.o \
		verilated_threads.o &&
	g++ -O1 -fPIC -shared -std=c++17 -DESPL_LANES="$(parameter Lanes)" -DESPL_SPLITS="$(parameter Splits)" \
		-DESPL_WIDE_DEPTH="$(parameter WideDepth)" -DESPL_NARROW_DEPTH="$(parameter NarrowDepth)" \
		-o "$out.so" sim/espl_sim.cc -I"$out.obj" -I"$root/include" -I"$root/include/vltstd" \
		"$out.obj/Vespl_engine__ALL.a" "$out.obj/verilated.o" "$out.obj/verilated_threads.o" -lpthread
} >"$out.log" 2>&1 || { grep -A3 -i error "$out.log" | head -20; echo "$name: the netlist does not build"; exit 1; }

"$espalier" verify "$out" --input "$input" --samples "$samples" --simulator "$out.so"
"$espalier" simulate "$out" --input "$input" --samples "$samples" --simulator "$out.so" --stall random:40 \
	--output "$out.bin" --quiet
"$espalier" reference "$out" --input "$input" --samples "$samples" --output "$out.ref"
cmp "$out.bin" "$out.ref"
rm -rf "$out.obj"
echo "$name: the netlist is the RTL, in values and cycles"
