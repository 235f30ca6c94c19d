#!/bin/sh
# The command `espalier benchmark`, end to end on the embedded network: JSON, gates, exit codes.
# SPDX-License-Identifier: Apache-2.0
#
# usage: benchmark.sh ESPALIER WORK MODEL
set -eu
espalier=$1 work=$2 model=$3
data=${ESPALIER_FASHION:-/usr/share/datasets/fashion-mnist}
[ -e "$data" ] || exit 77

rm -rf "$work"
mkdir -p "$work"
cd "$work"

# expect CODE PATTERN ARGUMENTS...: that exit code, and one line on stderr that holds the pattern
expect() {
	code=$1 pattern=$2
	shift 2
	set +e
	"$espalier" benchmark "$@" >out.txt 2>err.txt
	got=$?
	set -e
	if [ $got != "$code" ] || { [ -n "$pattern" ] && ! grep -q -e "$pattern" err.txt; } || [ "$(wc -l <err.txt)" -gt 1 ]; then
		echo "$*: exit $got instead of $code, or not '$pattern' in: $(cat err.txt)"
		exit 1
	fi
}

# has KEY...: the JSON's keys, of the model itself (two blanks before them) and of the other one
has() {
	for key in "$@"; do
		grep -q "^  \"$key\": " all.json || { echo "no $key"; exit 1; }
		grep -q "^    \"$key\": " all.json || { echo "no $key of the other model"; exit 1; }
	done
}

# All test images: what TFLite Micro gives, to the image.
"$espalier" benchmark "$model" --data "$data" --no-corruptions --json >clean.json
grep -q '^  "accuracy": 0.9051,$' clean.json
grep -q '^  "worst_class": 6,$' clean.json
grep -q '^  "corruptions": null,$' clean.json
grep -q '^  "flips": null,$' clean.json

# The JSON contract, beside another model and priced on an engine.
"$espalier" benchmark "$model" --data "$data" --samples 500 --against "$model" --array 8x1 \
	--json >all.json
has model accuracy worst_class worst_class_recall worst_slice low_margin_accuracy recall \
	calibration_error negative_log_likelihood corruptions corruption_accuracy flips bytes \
	multiplications nonzero_multiplications cost
grep -q '^  "against": {$' all.json
grep -q '^  "control": null,$' all.json
grep -q '^    "agreement": 1,$' all.json
[ "$(grep -c '^    "[a-z_]*": \[$' all.json)" -ge 15 ]
[ "$(grep -c '"latency_cycles"' all.json)" = 2 ]

# The same bytes, whatever the threads; --seed moves the corruptions and nothing else.
small="$model --data $data --samples 60 --control $model --json"
# shellcheck disable=SC2086
{
	"$espalier" benchmark $small >one.json
	"$espalier" benchmark $small --threads 2 >two.json
	"$espalier" benchmark $small --seed 2 >other.json
}
cmp one.json two.json
grep -q '^  "control": {$' one.json
! cmp -s one.json other.json
[ "$(grep '^  "accuracy"' other.json)" = "$(grep '^  "accuracy"' one.json)" ]

# A page, in a folder or by its name.
"$espalier" benchmark "$model" --data "$data" --samples 50 --quiet -o "$work"
"$espalier" benchmark "$model" --data "$data" --samples 50 --quiet -o page.html
cmp benchmark.html page.html
grep -q '</svg>' page.html

# Gates.
few="--data $data --samples 200 --no-corruptions"
# shellcheck disable=SC2086
{
	expect 0 '' "$model" $few --against "$model" --max-drop 0 --max-worst-class-drop 0 \
		--max-flips 0 --min-agreement 100 --min-accuracy 80 --max-bytes 20000
	grep -q -e '--max-drop .* passed' out.txt
	expect 8 '--min-accuracy: the accuracy is .*, at least 99 is allowed' "$model" $few \
		--min-accuracy 99
	grep -q -e '--min-accuracy .* NOT PASSED' out.txt
	expect 8 '--max-bytes: the size in bytes is 9978, at most 1000 is allowed (8.98e+03 too much)' \
		"$model" $few --max-bytes 1000
	expect 8 'and 1 more' "$model" $few --max-bytes 1000 --max-ece 0
	expect 8 '--max-drop: .* at most -1 is allowed' "$model" $few --against "$model" --max-drop=-1
	expect 8 '--max-latency-us' "$model" $few --array 8x1 --max-latency-us 1
}

# Mistakes.
expect 2 'benchmark: --data DIR is missing' "$model"
expect 2 '--max-drop: --against MODEL is missing' "$model" --data "$data" --max-drop 1
expect 2 '--max-latency-us: --board or --array is missing' "$model" --data "$data" --max-latency-us 1
expect 2 '--max-drop x: a number' "$model" --data "$data" --max-drop x
expect 2 '--input-scale: a number above 0' "$model" --data "$data" --input-scale 1/0
expect 2 '--input-offset: --input-scale is missing' "$model" --data "$data" --input-offset 1
expect 3 'no test data' "$model" --data "$work"
expect 3 'nowhere' nowhere.json --data "$data"
expect 2 'no such option' "$model" --data "$data" --max-drops 1
