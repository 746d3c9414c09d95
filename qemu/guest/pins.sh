# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# For suites that have `shell: [pins]`: is every page that was pinned (FOLL_PIN) released again? Their scripts begin
# with this text; busybox sh.

# pins: prints how many pages have been pinned since boot, and how many of those pins were released.
# Each CPU counts for itself and adds that up about once a second, or when it is a hundred or so: to be read, it has to
# be added up first (vmstat_refresh() in mm/vmstat.c).
pins() {
	echo 1 >/proc/sys/vm/stat_refresh
	while read -r _name _count; do
		case $_name in
		nr_foll_pin_acquired) _acquired=$_count ;;
		nr_foll_pin_released) _released=$_count ;;
		esac
	done </proc/vmstat
	echo "$_acquired $_released"
}

# pins_left ACQUIRED RELEASED: prints how many more pages are pinned than when `pins` printed these two numbers. What a
# program had goes a moment after it has ended, so it waits up to 3 s for there to be none.
pins_left() {
	_tries=0
	while :; do
		# shellcheck disable=SC2046 # two words
		set -- "$1" "$2" $(pins)
		_left=$(($3 - $4 - $1 + $2))
		[ "$_left" -ne 0 ] && [ "$_tries" -lt 10 ] || break
		_tries=$((_tries + 1))
		sleep 0.3
	done
	echo "$_left"
}
