#!/bin/sh
# Each folder includes only folders below it. Run from the repository's root.
# SPDX-License-Identifier: Apache-2.0
# usage: tests/lint/layers.sh docs/layers.txt
set -eu
awk -v q='"' '
FNR == NR { if ($0 !~ /^#/ && NF) for (i = 2; i <= NF; i++) may[$1, $i] = 1; next }
$1 == "#include" && index($2, q) == 1 {
	from = FILENAME; sub(/^compiler\//, "", from); sub(/\/.*/, "", from)
	to = $2; gsub(q, "", to)
	if (to !~ /\//) next
	sub(/\/.*/, "", to)
	if (from != to && !((from, to) in may)) {
		printf "%s:%d: %s may not include %s\n", FILENAME, FNR, from, $2
		bad = 1
	}
}
END { exit bad }' "$1" $(find compiler host sim -name '*.[ch]' -o -name '*.cc' 2>/dev/null)
