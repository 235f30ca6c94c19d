#!/bin/sh
# All C is formatted as .clang-format says.
# SPDX-License-Identifier: Apache-2.0
#
# usage: format.sh, from the repository's root
set -eu
command -v clang-format >/dev/null || { echo "SKIPPED: clang-format is not there"; exit 77; }
find compiler host examples tests -name '*.[ch]' -exec clang-format --dry-run -Werror {} +
