#!/bin/sh
# Edited plans: each file in fails/ is refused with exactly its message, each in takes/ is compiled.
# SPDX-License-Identifier: Apache-2.0
#
# usage: golden.sh ESPALIER WORK [--update]
#   a file is a line that says what it shows, a sed script for the plan of net.json at 8x2, and,
#   in fails/, a line "---" and the exit code and message
set -eu
espalier=$1 work=$2 update=${3:-}
here=$(cd "$(dirname "$0")" && pwd)/plan

rm -rf "$work"
mkdir -p "$work"
cd "$work"
"$espalier" compile "$here/net.json" --array 8x2 -o out --quiet
failed=0
for file in "$here"/*/*.txt; do
	name=${file#"$here"/}
	sed -e 1d -e '/^---$/,$d' "$file" >edit.sed
	sed -f edit.sed out/plan.json >plan.json
	if cmp -s plan.json out/plan.json; then
		echo "FAILED $name: changes nothing"
		failed=1
	fi
	code=0
	"$espalier" compile "$here/net.json" --array 8x2 --plan plan.json -o edited --quiet 2>err.txt || code=$?
	echo "$code $(cat err.txt)" >got.txt
	case $name in
	fails/*) sed '1,/^---$/d' "$file" >wanted.txt ;;
	*) echo "0 " >wanted.txt ;;
	esac
	if [ -n "$update" ]; then
		case $name in fails/*) { sed '/^---$/,$d' "$file"; echo ---; cat got.txt; } >new.txt && cp new.txt "$file" ;; esac
	elif ! cmp -s got.txt wanted.txt; then
		echo "FAILED $name:"
		diff wanted.txt got.txt || true
		failed=1
	fi
	case $name in
	fails/*) if [ -e edited ]; then echo "FAILED $name: leaves a folder"; failed=1; fi ;;
	takes/*)
		# what was decided is in the new plan as it was given
		if ! cmp -s plan.json edited/plan.json; then
			echo "FAILED $name: the plan comes out changed:"
			diff plan.json edited/plan.json || true
			failed=1
		fi
		;;
	esac
	rm -rf edited
done
echo "$(find "$here" -name '*.txt' | wc -l) edits tried"
exit $failed
