#!/bin/sh
# The checks can fail: single bits flipped in an emitted folder make verify fail and name the place.
# SPDX-License-Identifier: Apache-2.0
#
# usage: faults.sh ESPALIER WORK MODEL INPUT ARRAY
set -eu
espalier=$1 work=$2 model=$3 input=$4 array=$5

if [ ! -f "$model" ] || [ ! -f "$input" ]; then
	echo "SKIPPED: $model or $input is not there"
	exit 77
fi
mkdir -p "$work"
export ESPALIER_CACHE="$work/cache"
good=$work/faults-good bad=$work/faults-bad
"$espalier" compile "$model" --array "$array" -o "$good" --quiet
"$espalier" verify "$good" --input "$input" --samples 2 --quiet

# FNV-1a 64 of the program's frames, as the driver checks it: python stands in for a saboteur
cat >"$work/flip.py" <<'PY'
import json, struct, sys
folder, memory, which, bit = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
data = bytearray(open(folder + "/program.bin", "rb").read())
beats = lambda m, c, w: c * {0: w["Lanes"] // 8, 4: 3, 6: (19 + 2 * w["PadMax"] * w["Lanes"] + 63) // 64,
                             8: (w["Requantizers"] * (max(1, (w["Requantizers"] - 1).bit_length()) + 1) + 63) // 64}.get(m, 1)
manifest = open(folder + "/manifest.json").read()
engine = json.loads(manifest)["engine"]
at, frames = 0, []
while at < len(data) - 24:
    header = struct.unpack_from("<Q", data, at)[0]
    count = beats(header & 31, header >> 32 & 0xFFFF, engine)
    if header & 31 == memory and count:
        frames.append((at + 8, count))
    at += 8 * (1 + count)
start, count = frames[0]
index = start + 8 * int(which * (count - 1))
data[index + bit // 8] ^= 1 << bit % 8
identity = 0xCBF29CE484222325
for byte in data[:-24]:
    identity = ((identity ^ byte) * 0x100000001B3) & (2**64 - 1)
struct.pack_into("<Q", data, len(data) - 16, identity)
old = json.loads(manifest)["program_identity"]
open(folder + "/program.bin", "wb").write(data)
open(folder + "/manifest.json", "w").write(manifest.replace(old, "%016x" % identity))
PY

# memory, place in it (0 to 1), bit: a weight, a multiplier, a tap, a group's base
expect_failure() {
	what=$1
	shift
	rm -rf "$bad"
	cp -r "$good" "$bad"
	"$@"
	set +e
	"$espalier" verify "$bad" --input "$input" --samples 2 --json >"$work/bad.json" 2>"$work/bad.txt"
	code=$?
	set -e
	echo "$what: exit $code: $(cat "$work/bad.txt")"
	[ $code = 1 ]
	for key in layer channel row column expected got; do
		grep -q "\"$key\":" "$work/bad.json"
	done
	! grep -q '"mismatches": 0,' "$work/bad.json" || return 1
}
flip() { python3 "$work/flip.py" "$bad" "$@"; }

expect_failure "weight" flip 1 0.3 6
expect_failure "multiplier" flip 4 0 45
expect_failure "tap" flip 3 0.2 16
expect_failure "schedule: a group's base" flip 5 0.5 19
expect_failure "reference's weight" sh -c "sed -i '0,/\"bias\": \\[\\(-*[0-9]*\\)/s//\"bias\": [9\\1/' '$bad/net.json'"

# without a matching identity nothing is even run
rm -rf "$bad"
cp -r "$good" "$bad"
printf '\001' | dd of="$bad/program.bin" bs=1 seek=100 conv=notrunc 2>/dev/null
set +e
"$espalier" verify "$bad" --input "$input" --samples 1 2>"$work/bad.txt"
code=$?
set -e
echo "identity: exit $code: $(cat "$work/bad.txt")"
[ $code = 3 ] || [ $code = 7 ]
