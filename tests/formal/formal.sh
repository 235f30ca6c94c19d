#!/bin/sh
# Proves a module's stream contract by induction, and sees each of its mutants refuted.
# SPDX-License-Identifier: Apache-2.0
#
# usage: formal.sh MODULE, from the repository's root; tests/formal/MODULE.sv holds the properties
# Yosys proves with its own solver. Exits with 77 (skipped) when it is not there.
set -eu
module=$1
command -v yosys >/dev/null || { echo "SKIPPED: yosys is not there"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# prove FILE: what Yosys says of the properties with the module as in FILE
prove() {
	yosys -p "read_verilog -sv -formal -Irtl rtl/espl_pkg.sv $1 \
		tests/formal/$module.sv; hierarchy -top tb; proc; flatten; opt; async2sync; \
		dffunmap; sat -tempinduct -prove-asserts -set-assumes -set-init rst_n 0 \
		-maxsteps 20 tb" >"$work/log" 2>&1 ||
		{ cat "$work/log"; echo "$module: yosys failed"; exit 1; }
}

source=$(ls rtl/*/"$module".sv | grep -v '^rtl/ecp5/')
prove "$source"
grep -q 'Induction step proven: SUCCESS!' "$work/log" || { tail -40 "$work/log"; echo "$module: no proof"; exit 1; }
echo "$module: proven"

sed -n 's/^\/\/ mutant: //p' "tests/formal/$module.sv" >"$work/mutants"
[ -s "$work/mutants" ]
while read -r edit; do
	sed "$edit" "$source" >"$work/mutant.sv"
	if cmp -s "$source" "$work/mutant.sv"; then echo "$module: nothing to edit for $edit"; exit 1; fi
	prove "$work/mutant.sv"
	grep -q 'model found for base case: FAIL!' "$work/log" || { tail -40 "$work/log"; echo "$module: not refuted: $edit"; exit 1; }
	echo "$module: refuted $edit"
done <"$work/mutants"
