/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What phyr's benchmark programs share: the marks that the counting plugin of
 * QEMU sees, the lines that say what was marked, the clock, and the reading of
 * arguments.
 *
 * A program says on the results port which case comes and how long it is, then
 * executes the mark that begins the region; the plugin numbers the regions in
 * the order of their begins. Everything here is inline: a program that uses a
 * part of it compiles without warnings.
 */
#ifndef PHYR_BENCH_H
#define PHYR_BENCH_H

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PHYR_BAD_ARGUMENTS 2

/*
 * Exchanges of a register with itself: they do nothing, no compiler emits them
 * (66 87 db, 66 87 c9, 66 87 d2), and the plugin knows them in user space only.
 */
#define MARK_BEGIN() __asm__ volatile("xchg %%bx, %%bx" : : : "memory")
#define MARK_END() __asm__ volatile("xchg %%cx, %%cx" : : : "memory")
#define MARK_STEP() __asm__ volatile("xchg %%dx, %%dx" : : : "memory")

/* What is measured: `ops` operations, a step mark after every `step` of them (0: none). */
struct bench {
	const char *program;
	const char *name;
	unsigned long ops;
	unsigned long warm_up;
	unsigned long step;
};

/* Ends the program for what the caller of it did wrong: one line, exit status 2. */
static inline void __attribute__((noreturn, format(printf, 2, 3)))
bad_argument(const char *program, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, " (see %s --help)\n", program);
	exit(PHYR_BAD_ARGUMENTS);
}

/* What getopt_long() with a leading ':' and without messages of its own stopped at. */
static inline void __attribute__((noreturn)) bad_option(const char *program, int option, char **argv)
{
	if (option == ':')
		bad_argument(program, "%s needs a value", argv[optind - 1]);
	/* A short option among others ("-rx") has no argument of its own to show. */
	if (optopt)
		bad_argument(program, "no such option: '-%c'", optopt);
	bad_argument(program, "no such option: '%s'", argv[optind - 1]);
}

/* A line in one write, so that it stays whole; and gone from the port before this returns. */
static inline int say_to(int fd, const char *format, va_list args)
{
	char line[512];
	int len = vsnprintf(line, sizeof(line) - 1, format, args);
	int at = 0;

	if (len < 0)
		return -1;
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	while (at < len) {
		ssize_t n = write(fd, line + at, len - at);

		if (n < 0 && errno != EINTR)
			return -1;
		at += n > 0 ? n : 0;
	}
	/* The port's interrupts for this line do not belong to what is counted. Not every output is a port. */
	if (tcdrain(fd) < 0 && errno != ENOTTY && errno != EINVAL)
		return -1;
	return 0;
}

static inline void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list args;
	int failed;

	va_start(args, format);
	failed = say_to(STDOUT_FILENO, format, args);
	va_end(args);
	if (failed) {
		fprintf(stderr, "cannot write results: %s\n", strerror(errno));
		exit(1);
	}
}

/* The case cannot be measured in this guest: not a failure. */
static inline void __attribute__((noreturn, format(printf, 2, 3)))
skip(const struct bench *bench, const char *format, ...)
{
	char why[400];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	say("phyr: skip %s %s", bench->name, why);
	exit(0);
}

static inline void __attribute__((noreturn, format(printf, 2, 3)))
fail(const struct bench *bench, const char *format, ...)
{
	char why[400];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	say("phyr: fail %s %s", bench->name, why);
	exit(1);
}

static inline unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* A whole number with an optional k, m or g (powers of 1024), between least and most. */
static inline unsigned long parse_number(const char *program, const char *what, const char *text,
					 unsigned long least, unsigned long most)
{
	unsigned long value;
	int shift = 0;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || errno)
		bad_argument(program, "%s is no number: '%s'", what, text);
	switch (*end) {
	case 'g':
	case 'G':
		shift += 10;
		/* fall through */
	case 'm':
	case 'M':
		shift += 10;
		/* fall through */
	case 'k':
	case 'K':
		shift += 10;
		end++;
	}
	if (*end)
		bad_argument(program, "%s is no number: '%s'", what, text);
	if (value > ULONG_MAX >> shift || value << shift < least || value << shift > most)
		bad_argument(program, "%s must be from %lu to %lu: '%s'", what, least, most, text);
	return value << shift;
}

/* Names of cases travel in lines of words: GROUP/NAME in small letters. */
static inline void require_case(const char *program, const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > 100 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._/+-") != len ||
	    strchr("._/+-", name[0]))
		bad_argument(program, "no name of a case: '%s'", name);
}

static inline void require_steps(const struct bench *bench)
{
	if (bench->step && bench->ops % bench->step)
		bad_argument(bench->program, "a step of %lu does not divide %lu operations", bench->step,
			     bench->ops);
}

/*
 * Runs the operation: first to warm up, then `ops` times in a region. `op` returns 0, or -1 with errno.
 * Nanoseconds of the whole region.
 */
static inline unsigned long long bench_run(const struct bench *bench, int (*op)(void *data), void *data)
{
	unsigned long done = 0, left = bench->step;
	unsigned long long from, ns;
	int error = 0;

	for (unsigned long i = 0; i < bench->warm_up; i++)
		if (op(data) < 0)
			fail(bench, "warming up: %s", strerror(errno));
	if (bench->step)
		say("phyr: region %s %lu %lu", bench->name, bench->ops, bench->step);
	else
		say("phyr: region %s %lu", bench->name, bench->ops);
	from = now_ns();
	MARK_BEGIN();
	for (; done < bench->ops; done++) {
		if (op(data) < 0) {
			error = errno;
			break;
		}
		if (bench->step && --left == 0) {
			MARK_STEP();
			left = bench->step;
		}
	}
	MARK_END();
	ns = now_ns() - from;
	if (done < bench->ops)
		fail(bench, "operation %lu: %s", done + 1, strerror(error));
	say("phyr: time %s %lu %llu", bench->name, bench->ops, ns);
	return ns;
}

#endif
