#!/bin/sh
# The main job: a trained network becomes a small accelerator that runs bit-exactly.
# SPDX-License-Identifier: Apache-2.0
#
# Distils a small network from the one of models/fashion on images of Fashion-MNIST, prunes and
# quantizes it, compiles it for a board, runs it in Verilator, verifies it at every layer boundary,
# and compares it with the full one. A .tflite of your own is only compiled, run and verified.
# usage: ./demo.sh [MODEL.tflite [INPUT]]
set -eu
cd "$(dirname "$0")"
. ./setup.sh
# shellcheck disable=SC2086
espalier_install $espalier_packages dataset-fashion-mnist

cmake --preset release >/dev/null
cmake --build --preset release --target espalier_cli >/dev/null
espalier=build/release/espalier
out=build/demo
mkdir -p $out

full=models/fashion/student.json
data=/usr/share/datasets/fashion-mnist
labels=$data/t10k-labels-idx1-ubyte.gz
names="T-shirt Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Boot"
board=colorlight-i5
count=20

if [ $# -eq 0 ]; then
	echo "distil, prune, quantize as models/fashion/demo.json says:"
	$espalier compress models/fashion/demo.json -o $out/compressed --threads "$(nproc)" --resume
	model=$out/compressed/model.json
	envelope="--board $board"
	echo
else
	model=$1
	envelope="--array 16x16"
fi
input=${2:-$out/images.bin}

# the images as the network stores them: pixel - 128, so the top bit of each byte flips
if [ $# -lt 2 ]; then
	zcat $data/t10k-images-idx3-ubyte.gz 2>/dev/null | tail -c +17 | head -c $((784 * count)) |
		LC_ALL=C tr '\000-\377' '\200-\377\000-\177' >"$input"
fi

# shellcheck disable=SC2086
$espalier compile "$model" $envelope -o $out/accelerator
echo
$espalier simulate $out/accelerator --input "$input" --output $out/results.bin
$espalier verify $out/accelerator --input "$input"

[ $# -eq 0 ] || exit 0
echo
right=0
i=0
while [ $i -lt $count ]; do
	label=$(zcat $labels 2>/dev/null | tail -c +$((9 + i)) | head -c 1 | od -An -tu1 | tr -d ' ')
	best=$(tail -c +$((1 + 10 * i)) $out/results.bin | head -c 10 | od -An -td1 | tr -s ' ' '\n' |
		sed '/^$/d' | awk 'NR == 1 || $1 > most { most = $1; at = NR - 1 } END { print at }')
	if [ $i -lt 3 ]; then
		tail -c +$((1 + 784 * i)) "$input" | head -c 784 | od -An -v -w28 -td1 | awk '{
			line = ""
			for (c = 1; c <= 28; c++) { v = $c + 128; line = line substr(" .:-=+*#%@", 1 + int(v * 9 / 255), 1) }
			if (NR % 2) print "    " line
		}'
		# shellcheck disable=SC2086
		set -- $names
		shift "$best"
		printf '    the accelerator says: %s' "$1"
		# shellcheck disable=SC2086
		set -- $names
		shift "$label"
		printf ' (it is: %s)\n\n' "$1"
	fi
	[ "$best" = "$label" ] && right=$((right + 1))
	i=$((i + 1))
done
echo "$right of $count images are classified correctly"

echo
echo "against the full network, on all 10 000 test images:"
$espalier benchmark $model --against $full --data $data --board $board --no-corruptions --threads "$(nproc)"
