/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stacks: counts the instructions that a guest with one processor executes
 * between two marks, by call path of its kernel. A TCG plugin of QEMU.
 *
 *   -plugin libstacks.so,out=FILE,syms=SYSTEM_MAP -d plugin
 *
 * The marks and the regions are those of count.c, also the one that power-on
 * begins, and so is what is left out as the timer's interrupt.
 * For each region FILE gets
 *   # region N
 *   ROOT;...;FUNCTION COUNT	every path that was executed, in any order;
 *				COUNT is the function's own instructions
 *   # tick T			the timer's, in no path
 *   # cut C of M		whose path lacks elements, being too deep
 *   # unattributed U of M	under [lost] and [switched]; M is the sum
 *   # end N
 *
 * Paths begin with the kernel's entry; interrupts have paths of their own,
 * and user space is one. Version 1 of the interface shows no registers, but
 * addresses of memory that is read and written: __switch_to_asm stores and
 * loads the stack pointer in the tasks themselves, and so says which they are.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "shadow.h"

#define KERNEL_BEGIN	UINT64_C(0xffff800000000000)
#define MAX_BLOCKS	(1u << 20)

typedef void (*memory_cb)(unsigned int vcpu, uint32_t info, uint64_t address, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, memory_cb cb, int flags,
				      int direction, void *data);
/* Asked for reads only, QEMU 7.2 calls for none. */
enum { MEMORY_READ_WRITE = 3 };

struct symbol {
	uint64_t address;
	size_t line;
	char *name;
	enum shadow_entry entry;	/* what it means to arrive where it begins */
	bool stubs;			/* many entries under one name */
};

EXPORT int qemu_plugin_version = 1;

/* A symbol's number is its function's. */
static struct symbol *symbols;
static size_t nr_symbols;
static size_t switch_asm;

static struct shadow shadow;
static uint64_t executed;
static FILE *out;
static unsigned int region;
static bool in_region = true;

/* Blocks that were translated, by hash of what they are. */
static struct shadow_block *blocks[2 * MAX_BLOCKS];
static size_t nr_blocks;
static struct shadow_block user_block, lost_block = { .function = SHADOW_LOST };

static void begin(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	in_region = true;
	region++;
	shadow_begin(&shadow, executed);
}

static void print_path(const struct paths *paths, uint32_t path)
{
	if (paths->path[path].parent) {
		print_path(paths, paths->path[path].parent);
		fputc(';', out);
	}
	fputs(symbols[paths->path[path].function].name, out);
}

static void end(unsigned int vcpu, void *data)
{
	const struct paths *paths = &shadow.paths;
	uint64_t total = 0, unknown = 0;

	(void)vcpu;
	(void)data;
	if (!in_region)
		return;
	in_region = false;
	shadow_end(&shadow, executed);
	fprintf(out, "# region %u\n", region);
	for (uint32_t i = 1; i < PATHS; i++) {
		if (i == paths->used)
			i = PATHS - 1;
		if (!paths->path[i].count)
			continue;
		total += paths->path[i].count;
		if (shadow_unknown(&shadow, i))
			unknown += paths->path[i].count;
		print_path(paths, i);
		fprintf(out, " %" PRIu64 "\n", paths->path[i].count);
	}
	fprintf(out, "# tick %" PRIu64 "\n", shadow.tick);
	fprintf(out, "# cut %" PRIu64 " of %" PRIu64 "\n", shadow.cut, total);
	fprintf(out, "# unattributed %" PRIu64 " of %" PRIu64 "\n", unknown, total);
	fprintf(out, "# end %u\n", region);
	fflush(out);
}

static void entered(unsigned int vcpu, void *data)
{
	(void)vcpu;
	shadow_enter(&shadow, data, executed);
}

static void left_task(unsigned int vcpu, uint32_t info, uint64_t address, void *data)
{
	(void)vcpu;
	(void)info;
	(void)data;
	shadow_leave(&shadow, address);
}

static void resumed_task(unsigned int vcpu, uint32_t info, uint64_t address, void *data)
{
	(void)vcpu;
	(void)info;
	(void)data;
	shadow_resume(&shadow, address, executed);
}

/* The symbol that an address belongs to: the last that does not begin later. */
static size_t symbol_of(uint64_t address)
{
	size_t low = SHADOW_FIRST - 1, high = nr_symbols;

	if (address < KERNEL_BEGIN)
		return SHADOW_USER;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (symbols[middle].address <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* How the last instruction of a block leaves it, and where to if it says so. */
static void read_exit(struct shadow_block *b, const unsigned char *bytes, size_t size)
{
	size_t i = 0;
	int32_t far;

	b->exit = FALLS;
	/* Prefixes: segments, operand and address size, lock, repeat, REX. */
	while (i < size && (memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", bytes[i], 11) ||
			    (bytes[i] & 0xf0) == 0x40))
		i++;
	if (i == size)
		return;
	switch (bytes[i]) {
	case 0xe8:
	case 0xe9:
		b->exit = bytes[i] == 0xe8 ? CALLS : JUMPS;
		if (size - i < 1 + sizeof(far))
			return;
		memcpy(&far, &bytes[i + 1], sizeof(far));
		b->target = b->end + (uint64_t)(int64_t)far;
		return;
	case 0xeb:
		b->exit = JUMPS;
		if (size - i >= 2)
			b->target = b->end + (uint64_t)(int64_t)(signed char)bytes[i + 1];
		return;
	case 0xc2:
	case 0xc3:
	case 0xca:
	case 0xcb:
		b->exit = RETURNS;
		return;
	case 0xcf:
		b->exit = IRETS;
		return;
	case 0xff:
		if (size - i >= 2 && ((bytes[i + 1] >> 3) & 6) == 2)
			b->exit = CALLS;
		else if (size - i >= 2 && ((bytes[i + 1] >> 3) & 6) == 4)
			b->exit = JUMPS;
		return;
	}
}

static bool same_block(const struct shadow_block *a, const struct shadow_block *b)
{
	return a->begin == b->begin && a->last == b->last && a->end == b->end &&
	       a->target == b->target && a->instructions == b->instructions && a->exit == b->exit;
}

/* The same block is translated again and again; it is kept once. */
static struct shadow_block *kept(const struct shadow_block *b)
{
	size_t at = (size_t)((b->begin ^ b->end << 20) * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	for (;; at++) {
		struct shadow_block **slot = &blocks[at % (2 * MAX_BLOCKS)];

		if (*slot && same_block(*slot, b))
			return *slot;
		if (*slot)
			continue;
		if (nr_blocks == MAX_BLOCKS || !(*slot = malloc(sizeof(*b))))
			return &lost_block;
		nr_blocks++;
		**slot = *b;
		return *slot;
	}
}

static void watch_switch(struct qemu_plugin_insn *insn)
{
	const unsigned char *bytes = qemu_plugin_insn_data(insn);

	if (qemu_plugin_insn_size(insn) != 7 || bytes[0] != 0x48)
		return;
	/* mov %rsp,offset(%rdi): prev; mov offset(%rsi),%rsp: next */
	if (bytes[1] == 0x89 && bytes[2] == 0xa7)
		qemu_plugin_register_vcpu_mem_cb(insn, left_task, CB_NO_REGS, MEMORY_READ_WRITE, NULL);
	else if (bytes[1] == 0x8b && bytes[2] == 0xa6)
		qemu_plugin_register_vcpu_mem_cb(insn, resumed_task, CB_NO_REGS, MEMORY_READ_WRITE,
						 NULL);
}

static void watch_user(struct qemu_plugin_insn *insn)
{
	const unsigned char *bytes = qemu_plugin_insn_data(insn);

	if (qemu_plugin_insn_size(insn) != 3 || bytes[0] != 0x66 || bytes[1] != 0x87)
		return;
	if (bytes[2] == 0xdb)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, CB_NO_REGS, NULL);
	else if (bytes[2] == 0xc9)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, end, CB_NO_REGS, NULL);
}

/* Watches the instructions from an index on that are of one function; the index behind them. */
static size_t watch_block(struct qemu_plugin_tb *tb, size_t i, size_t n)
{
	struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, i), *last = first;
	struct shadow_block b = { .begin = qemu_plugin_insn_vaddr(first) };
	size_t s = symbol_of(b.begin);

	for (; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);

		if (s == SHADOW_USER ? address >= KERNEL_BEGIN :
				       address < symbols[s].address ||
				       (s + 1 < nr_symbols && address >= symbols[s + 1].address))
			break;
		/* One a time and not once a block: a block can be left in its middle. */
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &executed, 1);
		if (s == SHADOW_USER)
			watch_user(insn);
		else if (s == switch_asm)
			watch_switch(insn);
		b.instructions++;
		last = insn;
	}
	if (s == SHADOW_USER) {
		qemu_plugin_register_vcpu_insn_exec_cb(first, entered, CB_NO_REGS, &user_block);
		return i;
	}
	b.last = qemu_plugin_insn_vaddr(last);
	b.end = b.last + qemu_plugin_insn_size(last);
	b.function = (uint32_t)s;
	b.first = b.begin == symbols[s].address;
	b.entry = b.first || symbols[s].stubs ? symbols[s].entry : NO_ENTRY;
	read_exit(&b, qemu_plugin_insn_data(last), qemu_plugin_insn_size(last));
	qemu_plugin_register_vcpu_insn_exec_cb(first, entered, CB_NO_REGS, kept(&b));
	return i;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n;)
		i = watch_block(tb, i, n);
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

static bool is_stubs(const char *name)
{
	return !strcmp(name, "irq_entries_start") || !strcmp(name, "spurious_entries_start") ||
	       !strcmp(name, "early_idt_handler_array");
}

static enum shadow_entry entry_of(const char *name)
{
	if (!strcmp(name, "asm_sysvec_apic_timer_interrupt"))
		return TICK;
	if (is_stubs(name) || !strncmp(name, "asm_sysvec_", 11) || !strncmp(name, "asm_exc_", 8) ||
	    !strcmp(name, "asm_common_interrupt") || !strcmp(name, "asm_spurious_interrupt"))
		return INTERRUPT;
	if (!strcmp(name, "ret_from_fork_asm"))
		return NEW_TASK;
	if (!strcmp(name, "__schedule"))
		return SCHEDULE;
	return NO_ENTRY;
}

static bool add_symbol(uint64_t address, const char *name)
{
	static size_t room;

	if (nr_symbols == room) {
		struct symbol *more = realloc(symbols, (room + 65536) * sizeof(*symbols));

		if (!more)
			return false;
		symbols = more;
		room += 65536;
	}
	symbols[nr_symbols] = (struct symbol){ address, nr_symbols, strdup(name), entry_of(name),
					       is_stubs(name) };
	if (!symbols[nr_symbols].name)
		return false;
	/* What the format means something by. */
	for (char *c = symbols[nr_symbols].name; nr_symbols >= SHADOW_FIRST && *c; c++) {
		if (*c == ';' || *c == '#' || *c <= ' ' || *c > '~')
			*c = '_';
	}
	nr_symbols++;
	return true;
}

static bool read_symbols(const char *path)
{
	FILE *file = fopen(path, "r");
	char name[512], type;
	uint64_t address;
	size_t last = SHADOW_FIRST - 1;
	bool ok;

	if (!file)
		return false;
	ok = add_symbol(0, "user space") && add_symbol(0, "[switched]") && add_symbol(0, "[lost]");
	while (ok && fscanf(file, "%" SCNx64 " %c %511s", &address, &type, name) == 3) {
		if (address >= KERNEL_BEGIN && strchr("tTwW", type))
			ok = add_symbol(address, name);
	}
	fclose(file);
	if (!ok || nr_symbols == SHADOW_FIRST)
		return false;
	qsort(symbols + SHADOW_FIRST, nr_symbols - SHADOW_FIRST, sizeof(*symbols), by_address);
	/* Of names for the same address the first of the file; but what any of them means. */
	for (size_t i = SHADOW_FIRST; i < nr_symbols; i++) {
		if (symbols[i].address != symbols[last].address) {
			symbols[++last] = symbols[i];
		} else if (symbols[i].entry != NO_ENTRY) {
			symbols[last].entry = symbols[i].entry;
			symbols[last].stubs = symbols[i].stubs;
		}
	}
	nr_symbols = last + 1;
	for (size_t i = SHADOW_FIRST; i < nr_symbols; i++) {
		if (!strcmp(symbols[i].name, "__switch_to_asm"))
			switch_asm = i;
	}
	return true;
}

EXPORT int qemu_plugin_install(plugin_id id, const plugin_info *info, int argc, char **argv)
{
	const char *syms = NULL;

	if (!info->system_emulation || info->system.smp_vcpus != 1) {
		fprintf(stderr, "phyr stacks: a machine with one processor is needed\n");
		return 1;
	}
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
		else if (!strncmp(argv[i], "syms=", 5))
			syms = argv[i] + 5;
		else {
			fprintf(stderr, "phyr stacks: %s: not known\n", argv[i]);
			return 1;
		}
	}
	if (!out || !syms || !read_symbols(syms) || !shadow_init(&shadow)) {
		fprintf(stderr, "phyr stacks: out= and syms= have to name files\n");
		return 1;
	}
	shadow_begin(&shadow, 0);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
