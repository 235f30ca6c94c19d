#!/bin/sh
# Writes the first COUNT test images of Fashion-MNIST as the embedded network stores them.
# SPDX-License-Identifier: Apache-2.0
#
# usage: images.sh FILE COUNT
set -eu
data=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
if [ ! -f $data ]; then
	echo "$data is not there: install Debian's package dataset-fashion-mnist"
	exit 1
fi
# the head closes the pipe early, which zcat may complain about
zcat $data 2>/dev/null | tail -c +17 | head -c $((784 * $2)) |
	LC_ALL=C tr '\000-\377' '\200-\377\000-\177' >"$1"
[ "$(wc -c <"$1")" = $((784 * $2)) ]
