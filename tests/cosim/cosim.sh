#!/bin/sh
# Compiles a network for an array and verifies it: every layer boundary, with and without stalls,
# cycles as planned, latency within a limit.
# SPDX-License-Identifier: Apache-2.0
#
# usage: cosim.sh ESPALIER WORK MODEL INPUT SAMPLES ARRAY LATENCY [EXPECTED]
#   MODEL, INPUT  files; exits with 77 (skipped) when they are not there
#   LATENCY       most cycles of one inference; the interval may be 5 % more
#   EXPECTED      the results of TFLite Micro for INPUT, compared with the accelerator's
set -eu
espalier=$1 work=$2 model=$3 input=$4 samples=$5 array=$6 latency=$7 expected=${8:-}

if [ ! -f "$model" ] || [ ! -f "$input" ]; then
	echo "SKIPPED: $model or $input is not there (set ESPALIER_MODELS)"
	exit 77
fi
mkdir -p "$work"
name=$(basename "$model" .tflite)-$array
export ESPALIER_CACHE="$work/cache"

number() { sed -n "s/^  \"$2\": \([0-9]*\).*/\1/p" "$1" | head -1; }

case $array in
[0-9]*x*) envelope=--array ;;
*) envelope=--board ;;
esac
"$espalier" compile "$model" "$envelope" "$array" -o "$work/$name" --quiet
"$espalier" verify "$work/$name" --input "$input" --samples "$samples" --junit "$work/$name.xml"
"$espalier" simulate "$work/$name" --input "$input" --samples "$samples" --output "$work/$name.out" \
	--json >"$work/$name.json"
"$espalier" reference "$work/$name" --input "$input" --samples "$samples" --output "$work/$name.ref"
cmp "$work/$name.out" "$work/$name.ref"
if [ -n "$expected" ]; then
	head -c "$(wc -c <"$work/$name.out")" "$expected" | cmp - "$work/$name.out"
fi

measured=$(number "$work/$name.json" latency_cycles)
interval=$(number "$work/$name.json" interval_cycles)
planned=$(number "$work/$name/manifest.json" latency_cycles)
echo "$name: latency $measured cycles (planned $planned, at most $latency), interval $interval"
[ "$measured" = "$planned" ]
[ "$interval" = "$(number "$work/$name/manifest.json" interval_cycles)" ]
[ "$latency" = 0 ] || [ "$measured" -le "$latency" ]
[ $((interval * 100)) -le $((measured * 105)) ]
