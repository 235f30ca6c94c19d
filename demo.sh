#!/bin/sh
# The main job: a trained network becomes an accelerator that runs bit-exactly.
# SPDX-License-Identifier: Apache-2.0
#
# Compiles the network of models/fashion for a board, runs it in Verilator on images of
# Fashion-MNIST, and verifies it at every layer boundary.
# usage: ./demo.sh [MODEL.tflite [INPUT]]
set -eu
cd "$(dirname "$0")"
. ./setup.sh
# shellcheck disable=SC2086
espalier_install $espalier_packages dataset-fashion-mnist

cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
espalier=build/release/espalier
out=build/demo
mkdir -p $out

model=${1:-models/fashion/fashion.tflite}
input=${2:-$out/images.bin}
images=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
labels=/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz
names="T-shirt Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Boot"
count=20

# the images as the network stores them: pixel - 128, so the top bit of each byte flips
if [ $# -lt 2 ]; then
	zcat $images 2>/dev/null | tail -c +17 | head -c $((784 * count)) | LC_ALL=C tr '\000-\377' '\200-\377\000-\177' >"$input"
fi

$espalier compile "$model" --array 16x16 -o $out/accelerator
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
