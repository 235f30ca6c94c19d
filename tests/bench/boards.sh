#!/bin/sh
# Places and routes the boards' own engines, and says how many inferences a second that makes.
# SPDX-License-Identifier: Apache-2.0
#
# usage: boards.sh ESPALIER WORK MODELS [BOARD...]
# MODELS is the folder of MLPerf Tiny's int8 models. Boards: ulx3s-85f, orangecrab-25f, tang-nano-20k; all
# of them without one. One bitstream a board, four seeds (SEEDS=...), LIMIT minutes a seed; a network's
# inferences a second are the worst seed's clock by its latency in cycles. Prints docs/results.md's tables.
set -eu
espalier=$1 work=$2 models=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
own=$(cd "$here/../../models" && pwd)
[ $# -gt 0 ] || set -- ulx3s-85f orangecrab-25f tang-nano-20k
mkdir -p "$work"

networks() {
	case $1 in
	ulx3s-85f) echo "pretrainedResnet_quant kws_ref_model vww_96_int8 ad01_int8 str_ww_ref_model" ;;
	orangecrab-25f) echo "kws_ref_model str_ww_ref_model" ;;
	tang-nano-20k) echo "fashion" ;;
	*) echo "$1: no networks are set for this board" >&2; exit 2 ;;
	esac
}

# the board's own engine, or one that is kept here because it is for these networks
envelope_of() {
	if [ -d "$here/$1" ]; then echo "--engine $here/$1"; else echo "--board $1"; fi
}

# MLPerf Tiny's, else one of the repository's own
model_of() {
	if [ -e "$models/$1.tflite" ]; then echo "$models/$1.tflite"; else echo "$own/$1/$1.tflite"; fi
}

field() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$2" | head -1; }
# used TRELLIS_COMB build.json: "12345 of 83640"
used() { sed -n "s/^ *\"$1\": \[\([0-9]*\), \([0-9]*\)\].*/\1 of \2/p" "$2"; }

echo "$(date -u +%Y-%m-%d). $("$espalier" doctor | awk '$1 ~ /^(yosys|pyosys|nextpnr)/ && !/missing/ { print }' | tr -s ' ' | tr '\n' ';')"
for board; do
	identity=
	for network in $(networks "$board"); do
		out=$work/$board-$network
		# shellcheck disable=SC2046
		"$espalier" compile "$(model_of "$network")" $(envelope_of "$board") -o "$out" --quiet
		mine=$(field engine_identity "$out/manifest.json")
		[ -z "$identity" ] || [ "$identity" = "$mine" ] || {
			echo "$board: $network needs an engine of its own" >&2
			exit 1
		}
		identity=$mine
	done
	bits=$work/$board-bits
	"$espalier" build "$out" --board "$board" --seeds "${SEEDS:-4}" --time-limit "${LIMIT:-240}" --allow-slow -o "$bits" --quiet
	json=$bits/build.json
	worst=$(field worst_mhz "$json")
	echo
	echo "$board: array $(field array "$json"), worst $worst, median $(field median_mhz "$json") MHz of ${SEEDS:-4} seeds," \
		"clock $(($(field clock_hz "$json") / 1000000)) MHz"
	for cell in TRELLIS_COMB TRELLIS_FF DP16KD MULT18X18D LUT4 DFF BSRAM; do
		[ -z "$(used $cell "$json")" ] || echo "  $cell $(used $cell "$json")"
	done
	echo
	echo "| network | cycles | ms | inferences a second |"
	echo "|---|---|---|---|"
	for network in $(networks "$board"); do
		cycles=$(field latency_cycles "$work/$board-$network/manifest.json")
		awk -v n="$network" -v c="$cycles" -v f="$worst" \
			'BEGIN { printf "| %s | %d | %.3f | %d |\n", n, c, c / f / 1000, f * 1e6 / c }'
	done
done
