// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's first process: mounts what a suite needs, runs /phyr/run with its output on the results port,
 * and leaves QEMU with an exit code that the host compares with the line that only this program can print.
 *
 * Built against the kernel tree's nolibc, so that one source serves x86_64 and i386 without a C library. The
 * protocol's other end is tools/machine; the words on the console are fixed:
 *   phyr: init <uptime in seconds>
 *   phyr: end <token> status=<n>
 */
#include "nolibc.h"
#include <linux/serial.h>

#define EXIT_PORT 0xf4 /* isa-debug-exit of the host's QEMU command line */
#define FIRST_EXIT 16 /* below: QEMU's own and pvpanic's exit codes */
#define STATUS_BROKEN 100
#define KILL_TRIES 1000 /* times 10 ms */

static int console = -1;
static int results = -1;
static int kmsg = -1;
static char token[33] = "-";

static void write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= n;
	}
}

/* tcdrain(): with two processors what is still in the port is lost when the other one ends QEMU. */
static void drain(int fd)
{
	if (fd >= 0)
		ioctl(fd, TCSBRK, 1);
}

/* Whether the kernel has logged anything since the last call. */
static int kernel_spoke(void)
{
	char record[8];
	int spoke;

	if (kmsg < 0)
		return 0;
	/* EINVAL: a record is there and longer than the buffer; EPIPE: it was overwritten meanwhile. */
	spoke = read(kmsg, record, sizeof(record)) >= 0 || errno == EINVAL || errno == EPIPE;
	lseek(kmsg, 0, SEEK_END);
	return spoke;
}

/*
 * One line that the host must find whole. The kernel writes its messages to the same port and does not wait
 * for the end of ours, so a line during which it spoke is said again.
 */
static void say_whole(const char *line)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "\n%s\n", line);

	kernel_spoke();
	for (int i = 0; i < 5; i++) {
		write_all(console, text, len);
		drain(console);
		if (!kernel_spoke())
			break;
	}
}

static void say(const char *what, const char *more)
{
	char text[256];
	int len = snprintf(text, sizeof(text), "phyr: %s%s\n", what, more);

	write_all(console, text, len < (int)sizeof(text) ? len : (int)sizeof(text) - 1);
}

/* Reads a small file as text; its length, or -1. */
static int slurp(const char *path, char *text, int size)
{
	int fd = open(path, O_RDONLY);
	int used = 0, n;

	if (fd < 0)
		return -1;
	while (used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0)
		used += n;
	close(fd);
	text[used] = '\0';
	return used;
}

static void mount_on(const char *type, const char *dir, const char *data)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, MS_NOSUID, data) < 0)
		say("cannot mount ", dir);
}

static void open_console(void)
{
	console = open("/dev/console", O_RDWR | O_NOCTTY);
	if (console < 0)
		console = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
	for (int fd = 0; fd < 3; fd++)
		if (console >= 0 && console != fd)
			dup2(console, fd);
}

/* The results port: bytes as they are, no CR before LF. Falls back to the console. */
static void open_results(void)
{
	struct serial_struct port;
	struct termios t;
	/* Without O_NONBLOCK open() waits for a carrier that no one will send, until CLOCAL is set. */
	int fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_NONBLOCK);

	/* The node is there for every port the driver could have; a port without hardware has no type. */
	if (fd >= 0 && (ioctl(fd, TIOCGSERIAL, &port) < 0 || port.type == PORT_UNKNOWN)) {
		close(fd);
		fd = -1;
	}
	if (fd >= 0 && ioctl(fd, TCGETS, &t) == 0) {
		t.c_iflag = 0;
		t.c_oflag = 0;
		t.c_lflag = 0;
		t.c_cflag = CS8 | CREAD | CLOCAL | B115200;
		ioctl(fd, TCSETS, &t);
		results = open("/dev/ttyS1", O_RDWR | O_NOCTTY);
	}
	if (fd >= 0)
		close(fd);
	if (results < 0) {
		say("no results port, using the console", "");
		results = console;
	}
}

static void take_token(void)
{
	char text[64];

	if (slurp("/phyr/token", text, sizeof(text)) >= 32) {
		memcpy(token, text, 32);
		token[32] = '\0';
	} else {
		say("no token", "");
	}
	unlink("/phyr/token");
}

static int asked_for(const char *word)
{
	char line[4096];
	size_t len = strlen(word);
	char *at = line;

	if (slurp("/proc/cmdline", line, sizeof(line)) < 0)
		return 0;
	while ((at = strstr(at, word)) != NULL) {
		if ((at == line || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\n' || at[len] == '\0'))
			return 1;
		at += len;
	}
	return 0;
}

static char *const environment[] = {
	"PATH=/phyr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/",
	"TERM=linux",
	NULL,
};

/* Waits for one child and reaps every orphan that ends before it. The status as wait(2) gives it, or -1. */
static int wait_for(pid_t child)
{
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, 0);

		if (pid == child)
			return status;
		if (pid < 0 && errno != EINTR)
			return -1;
	}
}

/* Ends everything else. 0 when something would not end: it hangs in the kernel. */
static int end_the_rest(void)
{
	for (int i = 0; i < KILL_TRIES; i++) {
		int status;
		pid_t pid;

		kill(-1, SIGKILL);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			;
		if (pid < 0)
			return 1; /* ECHILD */
		msleep(10);
	}
	return 0;
}

static int run_suite(void)
{
	char *const argv[] = { "sh", "/phyr/run", NULL };
	char signal[16];
	int status, fd;
	pid_t pid;

	if (access("/phyr/run", F_OK) < 0) {
		/* No shell either: a kernel whose tests ran while it booted. */
		if (access("/bin/sh", F_OK) < 0)
			return 0;
		say("there is no /phyr/run", "");
		return STATUS_BROKEN;
	}
	pid = fork();
	if (pid == 0) {
		setsid();
		fd = open("/dev/null", O_RDWR);
		dup2(fd >= 0 ? fd : console, 0);
		dup2(results, 1);
		dup2(results, 2);
		execve("/bin/sh", argv, environment);
		say("cannot run /bin/sh", "");
		_exit(STATUS_BROKEN);
	}
	status = pid < 0 ? -1 : wait_for(pid);
	if (status < 0) {
		say("cannot start or wait for /phyr/run", "");
		return STATUS_BROKEN;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status) < STATUS_BROKEN ? WEXITSTATUS(status) : STATUS_BROKEN;
	snprintf(signal, sizeof(signal), "%d", WTERMSIG(status));
	say("/phyr/run was killed by signal ", signal);
	return STATUS_BROKEN;
}

/* A shell on the console, with job control: /dev/console itself can never be a controlling terminal. */
static void run_shell(void)
{
	char *const argv[] = { "-sh", NULL };
	char active[64] = "ttyS0", path[80];
	char *name = active, *blank;
	pid_t pid;
	int fd;

	slurp("/sys/class/tty/console/active", active, sizeof(active));
	active[strlen(active) - (active[0] && active[strlen(active) - 1] == '\n')] = '\0';
	while ((blank = strchr(name, ' ')) != NULL)
		name = blank + 1; /* the last one is /dev/console */
	snprintf(path, sizeof(path), "/dev/%s", name);
	pid = fork();
	if (pid == 0) {
		setsid();
		fd = open(path, O_RDWR);
		if (fd < 0)
			fd = console;
		ioctl(fd, TIOCSCTTY, 1);
		for (int i = 0; i < 3; i++)
			dup2(fd, i);
		execve("/bin/sh", argv, environment);
		say("cannot run /bin/sh", "");
		_exit(STATUS_BROKEN);
	}
	if (pid > 0)
		wait_for(pid);
	end_the_rest();
	drain(console);
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
}

/* Ends QEMU with an exit code; when the port is out of reach, ends it without one. */
static void leave(int status)
{
	unsigned char value = FIRST_EXIT + status;
	int fd;

	if (__sysret(__nolibc_syscall3(__NR_ioperm, EXIT_PORT, 4, 1)) == 0)
		__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"((unsigned short)EXIT_PORT));
	fd = open("/dev/port", O_WRONLY);
	if (fd >= 0 && lseek(fd, EXIT_PORT, SEEK_SET) == EXIT_PORT)
		write_all(fd, (char *)&value, 1);
	say("no way to give an exit code", "");
	drain(console);
	reboot(LINUX_REBOOT_CMD_RESTART);
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
}

int main(void)
{
	char line[96], uptime[64] = "?";
	int status;

	/* Before /dev is mounted the archive's own /dev/console is what the kernel gave us as 0, 1 and 2. */
	console = 2;
	mount_on("devtmpfs", "/dev", "mode=0755");
	open_console();
	mount_on("proc", "/proc", NULL);
	mount_on("sysfs", "/sys", NULL);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	take_token();
	if (slurp("/proc/uptime", uptime, sizeof(uptime)) > 0 && strchr(uptime, ' '))
		*strchr(uptime, ' ') = '\0';
	snprintf(line, sizeof(line), "phyr: init %s", uptime);
	say_whole(line);
	/* Not every kernel has it, and not every suite wants it. */
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount_on("tmpfs", "/tmp", "mode=1777");
	mount_on("tmpfs", "/dev/shm", "mode=1777");
	open_results();
	if (asked_for("phyr.shell"))
		run_shell();
	status = run_suite();
	if (!end_the_rest()) {
		say("a process will not end", "");
		status = STATUS_BROKEN;
	}
	drain(results);
	snprintf(line, sizeof(line), "phyr: end %s status=%d", token, status);
	say_whole(line);
	leave(status);
	for (;;)
		msleep(1000);
}
