#!/bin/sh
# Builds Espalier and runs its tests; installs what is missing from Debian's packages.
# SPDX-License-Identifier: Apache-2.0
#
# usage: ./test.sh [ctest options, e.g. -L unit]
set -eu
cd "$(dirname "$0")"
. ./setup.sh
# shellcheck disable=SC2086
espalier_install $espalier_packages $espalier_flow_packages libcmocka-dev python3 clang-format dataset-fashion-mnist

# checked build: sanitizers, warnings are errors; the fast tests
cmake --preset dev >/dev/null
cmake --build --preset dev
ctest --test-dir build/dev --output-on-failure -j2 -L 'unit|lint' "$@"

# release build: models, co-simulation, bitstreams
cmake --preset release >/dev/null
cmake --build --preset release
build/release/espalier doctor --install --board orangecrab-25f ||
	echo "tools for ECP5 are not there: their tests are skipped"
ctest --test-dir build/release --output-on-failure -j2 -LE 'slow' "$@"
