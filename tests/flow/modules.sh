#!/bin/sh
# Synthesizes each module of the RTL library by itself, at two shapes or more; prints what it costs.
# SPDX-License-Identifier: Apache-2.0
#
# usage: modules.sh [MODULE...], from the repository's root
# One line a module and shape: LUT4 (a carry cell CCU2C is two more), CCU2C, flip-flops, DP16KD,
# MULT18X18D. docs/rtl.md has the lines of the first shape. A module without parameters has one.
set -eu
command -v yosys >/dev/null || { echo "SKIPPED: yosys is not there"; exit 77; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
sources="rtl/espl_pkg.sv $(echo rtl/memory/*.sv rtl/compute/*.sv rtl/shell/*.sv)"

echo "module and shape: LUT4 CCU2C FF DP16KD MULT18X18D"
while read -r module form shape; do
	if [ $# -gt 0 ]; then case " $* " in *" $module "*) ;; *) continue ;; esac; fi
	files=$sources
	if [ "$form" = ecp5 ]; then
		# a form for ECP5 takes the place of the portable one
		for own in rtl/ecp5/*.sv; do files=$(echo "$files" | sed "s| rtl/[a-z]*/${own##*/}||"); done
		files="$files $(echo rtl/ecp5/*.sv)"
	fi
	sets=
	for parameter in $shape; do sets="$sets -set ${parameter%=*} ${parameter#*=}"; done
	[ -z "$sets" ] || sets="chparam$sets $module;"
	yosys -q -p "read_verilog -sv -defer -Irtl $files; $sets \
		synth_ecp5 -top $module; check -assert; tee -q -o $log stat" >"$log.out" 2>&1 ||
		{ cat "$log.out"; rm -f "$log.out"; echo "$module $form $shape: yosys failed"; exit 1; }
	rm -f "$log.out"
	awk -v name="$module $form $shape" '
		/design hierarchy/ || /^=== / { for (cell in n) delete n[cell] }
		NF == 2 { n[$1] = $2 }
		END {
			sub(/ +$/, "", name)
			printf "%s: %d %d %d %d %d\n", name, n["LUT4"], n["CCU2C"], n["TRELLIS_FF"],
				n["DP16KD"], n["MULT18X18D"]
		}' "$log"
done <<'MODULES'
espl_ram ecp5 Width=36 EnableWidth=36 Depth=2048
espl_ram portable Width=36 EnableWidth=36 Depth=2048
espl_ram_gated portable Width=128 Depth=16
espl_ram_gated portable Width=64 Depth=32
espl_ram portable Width=64 EnableWidth=8 Depth=2048 OutputRegister=0
espl_add_select ecp5 Width=24
espl_add_select ecp5 Width=53
espl_add_select portable Width=24
espl_add_rows ecp5 Width=20
espl_add_rows portable Width=20
espl_accumulate ecp5
espl_row_sum ecp5 ValueBits=18 FactorBits=3
espl_row_sum portable ValueBits=29 FactorBits=3
espl_mul_pair ecp5
espl_mul_pair portable
espl_lane_pair ecp5
espl_lane_pair portable
espl_gather portable Lanes=16
espl_gather portable Lanes=8
espl_tree portable Inputs=16 Count=4
espl_tree portable Inputs=2 Count=1
espl_mul_signed ecp5
espl_mul_signed portable
espl_mul_step ecp5 Multipliers=1
espl_mul_step ecp5 Multipliers=2
espl_mul_step portable Multipliers=2
espl_requant ecp5 Tables=0
espl_requant ecp5 Tables=0 Multipliers=2
espl_requant portable Tables=1
espl_requant_array ecp5 Requantizers=2 Tables=0
espl_requant_array portable Requantizers=1 Tables=1
espl_split ecp5 Lanes=16 Requantizers=8
espl_split portable Lanes=8 Requantizers=1 WideDepth=512 NarrowDepth=512 TapDepth=256 PadMax=1 MaxPool=0
espl_drain ecp5 Splits=8
espl_drain portable Splits=1 EntryDepth=64 ParamDepth=128
espl_loader ecp5 Lanes=16 Splits=8 Requantizers=8
espl_loader portable Lanes=8 Splits=1 Requantizers=1 PadMax=1
espl_output ecp5 Lanes=16
espl_output portable Lanes=8 OutputDepth=16
espl_sequencer ecp5 Lanes=16 Splits=8
espl_sequencer portable Lanes=8 Splits=1 PadMax=1 GroupDepth=64 BlockDepth=64 LayerDepth=8
espl_writer ecp5 Lanes=16 Splits=8 Requantizers=8
espl_writer portable Lanes=8 Splits=1 Requantizers=1 WideDepth=256 OutputDepth=16
MODULES
