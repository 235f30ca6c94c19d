#!/bin/sh
# Synthesizes an emitted accelerator with Yosys; DSPs and block RAMs must be the plan's.
# SPDX-License-Identifier: Apache-2.0
#
# usage: synth.sh ESPALIER WORK MODEL ARRAY ecp5|ice40
set -eu
espalier=$1 work=$2 model=$3 array=$4 family=$5

mkdir -p "$work"
out=$work/synth-$array
# a limit makes every memory as small as the network allows
"$espalier" compile "$model" --array "$array" --memory 100000000 -o "$out" --quiet
own=$(cd "$(dirname "$0")/../../rtl/ecp5" && pwd)
files="espl_pkg.sv $(cd "$out/rtl" && echo memory/*.sv compute/*.sv shell/*.sv)"
case $family in
ecp5) # the family's forms in place of the portable ones, as espalier build does it
	for form in "$own"/*.sv; do files=$(echo "$files" | sed "s| [a-z]*/${form##*/}||"); done
	files="$files $own/*.sv"
	flow="synth_ecp5 -abc9 -nomux -top espl_top"
	;;
ice40) flow="synth_ice40 -device u -dsp -top espl_top" ;;
*) echo "usage: $0 ESPALIER WORK MODEL ARRAY ecp5|ice40" >&2; exit 2 ;;
esac
planned() { sed -n "s/^  \"$1\": \([0-9]*\).*/\1/p" "$out/manifest.json"; }
cd "$out/rtl"
yosys -q -p "read_verilog -sv -defer -I. $(echo $files); read_verilog -sv espl_top.sv; $flow; tee -q -o ../stat.txt stat"
sed -n '/design hierarchy/,$p' ../stat.txt | grep -E 'LUT4|_FF|DFF|DP16KD|DPR16|MULT18|MAC16|RAM40|CCU2C|CARRY'
count() { sed -n '/design hierarchy/,$p' ../stat.txt | awk -v cell="$1" '$1 == cell { print $2 }'; }
case $family in
ecp5) dsp=MULT18X18D ram=DP16KD before= ;;
ice40) dsp=SB_MAC16 ram=SB_RAM40_4K before=ice40_ ;;
esac
echo "DSPs $(count $dsp), planned $(planned ${before}dsps); block RAMs $(count $ram), planned $(planned ${before}block_rams)"
[ "$(count $dsp)" = "$(planned ${before}dsps)" ] && [ "$(count $ram)" = "$(planned ${before}block_rams)" ]
