#!/bin/sh
# The command contract: exit codes, messages, files that appear complete or not at all.
# SPDX-License-Identifier: Apache-2.0
#
# usage: cli.sh ESPALIER WORK MODEL
set -eu
espalier=$1 work=$2 model=$3

rm -rf "$work"
mkdir -p "$work"
cd "$work"
export ESPALIER_CACHE="$work/cache"

# expect CODE PATTERN COMMAND...: that exit code, and one line on stderr that holds the pattern
expect() {
	code=$1 pattern=$2
	shift 2
	set +e
	"$@" >out.txt 2>err.txt
	got=$?
	set -e
	if [ $got != "$code" ] || ! grep -q "$pattern" err.txt || [ "$(wc -l <err.txt)" -gt 1 ]; then
		echo "$*: exit $got instead of $code, or not '$pattern' in: $(cat err.txt)"
		exit 1
	fi
}

expect 2 'no such command' "$espalier" frobnicate
expect 2 'no such option' "$espalier" compile "$model" --frobnicate
expect 2 'DIR is missing' "$espalier" compile "$model"
expect 2 'no such board' "$espalier" compile "$model" --board moon -o a
expect 2 'lanes by splits' "$espalier" compile "$model" --array 16 -o a
expect 2 'exclude each other' "$espalier" compile "$model" --array 16x8 --board ulx3s-85f -o a
expect 2 'lanes' "$espalier" compile "$model" --array 7x8 -o a
expect 3 'No such file' "$espalier" check missing.tflite
expect 3 'missing.bin' "$espalier" reference "$model" --input missing.bin
printf 'garbage' >garbage.tflite
expect 3 'garbage.tflite' "$espalier" check garbage.tflite
head -c 1000 "$model" >short.tflite
expect 3 'short.tflite' "$espalier" compile short.tflite --array 16x8 -o a
expect 4 'bytes of memory' "$espalier" compile "$model" --array 16x8 --memory 1000 -o a
[ ! -e a ]
mkdir occupied
echo mine >occupied/file
expect 3 'occupied' "$espalier" compile "$model" --array 16x8 -o occupied
[ "$(cat occupied/file)" = mine ]
[ "$(find . -name '*tmp*' -o -name 'occupied.*' | wc -l)" = 0 ]

# the same input gives the same bytes
"$espalier" compile "$model" --array 16x8 -o a --quiet
"$espalier" compile "$model" --array 16x8 -o b --json >b.json
diff -r a b
cmp b.json b/manifest.json

# the known-answer test is the reference's
"$espalier" reference a --input a/kat/input.bin --output kat.bin --quiet
cmp kat.bin a/kat/output.bin
expect 2 'a million is wanted' "$espalier" board-sim a --faults flip=x
expect 2 'a million is wanted' "$espalier" board-sim a --faults rust=1
expect 3 'missing' "$espalier" board-sim missing

# stages run alone: the own form is a model as well
"$espalier" compile a/net.json --array 16x8 -o c --quiet
cmp a/program.bin c/program.bin
# the plan's decisions can be fed back, and edited; what is illegal is refused
"$espalier" compile "$model" --array 16x8 --plan a/plan.json -o d --quiet
cmp a/program.bin d/program.bin
sed '0,/"splits": \[0/s//"splits": [99/' a/plan.json >illegal.json
sed 's/"splits": \[\([0-9]\), /"splits": [\1, 99, /' a/plan.json >illegal.json
expect 3 'plan' "$espalier" compile "$model" --array 16x8 --plan illegal.json -o e
sed 's/"word": [0-9]*/"word": 0/' a/plan.json >overlap.json
expect 3 'overlaps' "$espalier" compile "$model" --array 16x8 --plan overlap.json -o e
# the engine of another folder: the same identity, or what does not fit
"$espalier" compile "$model" --engine a -o same --quiet
[ "$(grep engine_identity same/manifest.json)" = "$(grep engine_identity a/manifest.json)" ]
sed -i 's/"NarrowDepth": [0-9]*/"NarrowDepth": 64/' same/manifest.json
expect 4 'words of narrow memory, the engine has 64' "$espalier" compile "$model" --engine same -o e
sed -i 's/"WideExtra": 0/"WideExtra": 99999/' same/manifest.json
expect 3 'WideExtra is 99999' "$espalier" compile "$model" --engine same -o e
expect 3 'No such file' "$espalier" compile "$model" --engine nowhere -o e
expect 2 'exclude each other' "$espalier" compile "$model" --engine a --array 16x8 -o e
[ ! -e e ]

"$espalier" --version | grep -q '^espalier [0-9]'
for command in check lower compile reference simulate verify run board-sim boards build flash doctor import export; do
	"$espalier" $command --help | grep -q "usage: espalier $command"
done
"$espalier" check "$model" --json | grep -q '"supported": true'
"$espalier" lower "$model" | grep -q 'exact'

# ONNX out, and in again
student=$(dirname "$model")/student.json
expect 2 'FILE.onnx is missing' "$espalier" export "$model"
expect 2 'qoperator or qdq' "$espalier" export "$model" --form both -o net.onnx
expect 2 'has no integer form' "$espalier" export "$student" --form qdq -o net.onnx
expect 3 'short.tflite' "$espalier" import short.tflite -o net.json
expect 2 'MODEL.json is missing' "$espalier" import "$student"
[ ! -e net.onnx ]
"$espalier" export "$model" -o net.onnx | grep -q 'in integers with the net'
"$espalier" export "$model" -o again.onnx --quiet
cmp net.onnx again.onnx
"$espalier" export "$student" -o student.onnx | grep -q 'a float model of'
"$espalier" check student.onnx | grep -q 'quantize it to compile it'
"$espalier" import student.onnx -o student.json | grep -q 'a float graph of'
"$espalier" export student.json -o again.onnx --quiet
"$espalier" import again.onnx -o again.json --quiet
cmp student.json again.json
"$espalier" boards --json | grep -q '"ulx3s-85f"'
echo "all as the contract says"
