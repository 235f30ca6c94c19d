#!/bin/sh
# Runs the commands that the README shows, in an empty folder, on the embedded network.
# SPDX-License-Identifier: Apache-2.0
#
# usage: docs.sh ESPALIER WORK MODEL SAMPLES README
set -eu
espalier=$1 work=$2 model=$3 samples=$4 readme=$5

rm -rf "$work/docs"
mkdir -p "$work/docs/bin"
ln -s "$espalier" "$work/docs/bin/espalier"
PATH="$work/docs/bin:$PATH"
export ESPALIER_CACHE="$work/cache"
cp "$model" "$work/docs/model.tflite"
cp "$samples" "$work/docs/samples.bin"
cd "$work/docs"
awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside && /^espalier / { sub(/ *#.*/, ""); print }' \
	"$readme" >commands
[ "$(wc -l <commands)" -ge 5 ]
while read -r line; do
	echo "\$ $line"
	sh -c "$line" </dev/null
done <commands
cmp results.bin expected.bin
[ -s wave.fst ] && grep -q '<testsuite' report.xml
