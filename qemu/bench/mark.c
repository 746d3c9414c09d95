// SPDX-License-Identifier: GPL-2.0-only
/*
 * Marks for programs that cannot mark themselves, fio above all: its
 * exec_prerun and exec_postrun run this.
 *
 * fio sends the output of those commands to a file, so the line that names the
 * region goes to the results port itself. The mark that begins a region is the
 * last thing that `begin` does, and the one that ends it the first of `end`:
 * what is left of this program, of the shell and of fio inside the region is
 * the same for a short and for a long one, and falls out of the slope.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include "phyr-bench.h"

#define PORT "/dev/ttyS1"

static const char help[] =
	"usage: mark [--port PATH] begin CASE OPS [STEP]\n"
	"       mark end\n"
	"       mark step\n"
	"\n"
	"begin  writes 'phyr: region CASE OPS [STEP]' to the port, then begins a region\n"
	"       of OPS operations, STEP of them between two step marks\n"
	"end    ends it\n"
	"step   says that a step in it is done\n"
	"\n"
	"--port PATH  where the line goes (" PORT "; - is stdout)\n";

static int __attribute__((format(printf, 2, 3))) say_on(int fd, const char *format, ...)
{
	va_list args;
	int failed;

	va_start(args, format);
	failed = say_to(fd, format, args);
	va_end(args);
	return failed;
}

static int begin(const char *port, char **words, int count)
{
	unsigned long ops, step = 0;
	int fd, failed;

	require_case("mark", words[0]);
	ops = parse_number("mark", "OPS", words[1], 1, UINT_MAX);
	if (count == 3)
		step = parse_number("mark", "STEP", words[2], 1, UINT_MAX);
	/* Without O_NONBLOCK open() would wait for a carrier if nobody had set the port up. */
	fd = strcmp(port, "-") ? open(port, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : STDOUT_FILENO;
	if (fd >= 0 && fd != STDOUT_FILENO)
		fcntl(fd, F_SETFL, O_WRONLY);
	failed = fd < 0;
	if (!failed && step)
		failed = say_on(fd, "phyr: region %s %lu %lu", words[0], ops, step);
	else if (!failed)
		failed = say_on(fd, "phyr: region %s %lu", words[0], ops);
	if (failed) {
		fprintf(stderr, "mark: cannot write to %s: %s\n", port, strerror(errno));
		return 1;
	}
	MARK_BEGIN();
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *port = PORT;

	if (argc == 2 && !strcmp(argv[1], "end")) {
		MARK_END();
		_exit(0);
	}
	if (argc == 2 && !strcmp(argv[1], "step")) {
		MARK_STEP();
		_exit(0);
	}
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(help, stdout);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "--port")) {
		if (argc < 3)
			bad_argument("mark", "--port needs a path");
		port = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc < 2)
		bad_argument("mark", "begin, end or step?");
	if (strcmp(argv[1], "begin"))
		bad_argument("mark", "not begin, end or step alone: '%s'", argv[1]);
	if (argc < 4 || argc > 5)
		bad_argument("mark", "begin needs CASE OPS [STEP]");
	return begin(port, argv + 2, argc - 2);
}
