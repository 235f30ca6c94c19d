# Installs what Espalier needs from Debian's packages; sourced by demo.sh and test.sh.
# SPDX-License-Identifier: Apache-2.0
#
# usage: . ./setup.sh; espalier_install PACKAGE...

espalier_install() {
	missing=""
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' ||
			missing="$missing $package"
	done
	[ -z "$missing" ] && return 0
	echo "installing$missing"
	if [ "$(id -u)" = 0 ]; then become=""; else become="sudo"; fi
	export DEBIAN_FRONTEND=noninteractive
	$become apt-get update -qq
	# shellcheck disable=SC2086
	$become apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

espalier_packages="gcc g++ make cmake ninja-build pkg-config libc6-dev libcjson-dev libsqlite3-dev verilator zlib1g-dev libopenblas-pthread-dev"

# What bitstreams for iCE40 and ECP5 need; the Python packages go into an environment of their own.
espalier_flow_packages="yosys nextpnr-ice40 fpga-icestorm openfpgaloader python3-venv"
