#!/bin/sh
# An engine with the program in its memories from the start equals one that loads it: results,
# cycles, every layer boundary; and Yosys sees the same contents.
# SPDX-License-Identifier: Apache-2.0
#
# usage: baked.sh ESPALIER WORK MODEL INPUT ARRAY
set -eu
espalier=$1 work=$2 model=$3 input=$4 array=$5

mkdir -p "$work"
export ESPALIER_CACHE="$work/cache"
out=$work/baked-$array
numbers() { grep -E '"(latency|interval|load)_cycles"' "$1"; }

"$espalier" compile "$model" --array "$array" -o "$out" --quiet
for how in "" --baked; do
	# shellcheck disable=SC2086
	"$espalier" simulate "$out" --input "$input" --samples 5 --output "$work/baked$how.out" --json $how \
		>"$work/baked$how.json"
done
cmp "$work/baked.out" "$work/baked--baked.out"
[ "$(numbers "$work/baked.json")" = "$(numbers "$work/baked--baked.json")" ]
"$espalier" verify "$out" --input "$input" --samples 2 --baked

# the memories' contents are what runs: a weight of another sign is found
cp -r "$out/image" "$work/baked-image"
sed -i '0,/^[0-9a-f]*7[0-9a-f]$/s/7\([0-9a-f]\)$/f\1/' "$out/image/narrow_0.hex"
set +e
"$espalier" verify "$out" --input "$input" --samples 2 --baked --quiet 2>"$work/baked.txt"
code=$?
set -e
rm -rf "$out/image"
mv "$work/baked-image" "$out/image"
echo "a weight changed: exit $code: $(cat "$work/baked.txt")"
[ $code = 1 ]

command -v yosys >/dev/null || { echo "SKIPPED: yosys is not there"; exit 77; }
cd "$out"
yosys -q -p "read_verilog -sv -defer -Irtl $(echo rtl/espl_pkg.sv rtl/memory/*.sv rtl/compute/*.sv rtl/shell/*.sv); \
	read_verilog -sv rtl/espl_top_baked.sv; hierarchy -top espl_top_baked -check; proc; memory -nomap; \
	select */t:\$mem_v2; tee -q -o baked.txt dump"
filled=$(grep -lE '^[0-9a-f]+$' image/*.hex | wc -l)
seen=$(grep -cE "parameter .INIT [0-9]+'x*[01]" baked.txt)
rm baked.txt
echo "yosys: $seen memories have contents, image/ has $filled"
[ "$seen" = "$filled" ]
