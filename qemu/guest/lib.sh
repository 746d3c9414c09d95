# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What the suites' scripts share. Sourced as /phyr/lib.sh by /phyr/run; busybox sh.

# disk SERIAL: prints the block device that has this serial number, as /dev/NAME.
# Waits for it up to 5 s: drivers probe while init runs. Status 1, and a word on stderr, when it is not there.
disk() {
	_tries=0
	while [ "$_tries" -lt 50 ]; do
		for _block in /sys/block/*; do
			# virtio-blk has it on the disk, NVMe on the controller (padded with blanks, on some).
			for _file in "$_block/serial" "$_block/device/serial"; do
				[ -r "$_file" ] || continue
				read -r _serial <"$_file" || [ -n "$_serial" ] || continue
				if [ "$_serial" = "$1" ] && [ -b "/dev/${_block##*/}" ]; then
					echo "/dev/${_block##*/}"
					return 0
				fi
			done
		done
		_tries=$((_tries + 1))
		sleep 0.1
	done
	echo "phyr: no disk with serial $1" >&2
	return 1
}

# pci_of DEVICE: prints the PCI address (0000:01:00.0) of a block device given as /dev/NAME.
pci_of() {
	_path=$(readlink -f "/sys/block/${1#/dev/}/device") || return 1
	while [ "$_path" != / ] && [ -n "$_path" ]; do
		case ${_path##*/} in
		[0-9a-f][0-9a-f][0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f].[0-7])
			echo "${_path##*/}"
			return 0
			;;
		esac
		_path=${_path%/*}
	done
	echo "phyr: $1 is on no PCI device" >&2
	return 1
}

# say WORDS: a line on the console, for people; the results port is for KTAP and JSON only.
say() {
	echo "phyr: $*" >/dev/console
}
