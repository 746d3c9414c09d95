/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * count: counts the instructions that a guest with one processor executes
 * between two marks, by function of its kernel. A TCG plugin of QEMU.
 *
 *   -plugin libcount.so,out=FILE,syms=SYSTEM_MAP[,at=SYMBOL]... -d plugin
 *
 * Marks are instructions that do nothing else and that no compiler makes,
 * executed in user space: xchg %bx,%bx begins a region, xchg %dx,%dx ends a
 * step in it, xchg %cx,%cx ends it. An end without a begin ends the region
 * that power-on began.
 *
 * For each region FILE gets
 *   region N kernel K user U tick T ticks C
 *   function NAME COUNT       every function that was executed, in any order
 *   steps - D D D...          kernel instructions from mark to mark
 *   steps SYMBOL D D D...     and from entry to entry of each at=SYMBOL
 *   end N
 *
 * The timer's interrupt is not work of the operation that it interrupts, and
 * when it strikes is chance: what runs from its entry to its return is in T
 * and in nothing else. A switch to another task ends it, too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"

#define MAX_AT		8
#define MAX_STEPS	(1u << 20)
#define KERNEL_BEGIN	UINT64_C(0xffff800000000000)

struct symbol {
	uint64_t address;
	char *name;
};

/* A place whose executions cut a region into steps. */
struct cut {
	const char *name;	/* NULL: the mark in user space */
	uint64_t address;
	uint64_t last;		/* the kernel's total when it was last met */
	bool met;
	size_t steps;
	uint64_t *step;
};

EXPORT int qemu_plugin_version = 1;

/* symbols[0] and counts[0] are user space. */
static struct symbol *symbols;
static size_t nr_symbols;
static uint64_t *counts;	/* since power-on, without ticks */
static uint64_t *at_begin;
static uint64_t *at_tick;

static struct cut cuts[1 + MAX_AT];
static size_t nr_cuts = 1;

static FILE *out;
static bool in_region = true;
static unsigned int region;

static uint64_t tick_entry, schedule_entry;
static unsigned int tick_depth;	/* 0: not in the timer's interrupt */
static uint64_t tick_instructions, nr_ticks;
static uint64_t ticks_at_begin[2];

static uint64_t kernel_total(void)
{
	uint64_t sum = 0;

	for (size_t i = 1; i < nr_symbols; i++)
		sum += counts[i];
	return sum;
}

static void begin(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	in_region = true;
	region++;
	memcpy(at_begin, counts, nr_symbols * sizeof(*counts));
	ticks_at_begin[0] = tick_instructions;
	ticks_at_begin[1] = nr_ticks;
	for (size_t i = 0; i < nr_cuts; i++) {
		cuts[i].steps = 0;
		cuts[i].met = false;
	}
	/* The mark's first step begins here; a symbol's at its first entry. */
	cuts[0].met = true;
	cuts[0].last = kernel_total();
}

static void cut(unsigned int vcpu, void *data)
{
	struct cut *c = data;
	uint64_t now;

	(void)vcpu;
	if (!in_region || region == 0)
		return;
	now = kernel_total();
	if (c->met && c->steps < MAX_STEPS)
		c->step[c->steps++] = now - c->last;
	c->met = true;
	c->last = now;
}

static void end(unsigned int vcpu, void *data)
{
	uint64_t kernel = 0;

	(void)vcpu;
	(void)data;
	if (!in_region)
		return;
	in_region = false;
	for (size_t i = 1; i < nr_symbols; i++)
		kernel += counts[i] - at_begin[i];
	fprintf(out, "region %u kernel %" PRIu64 " user %" PRIu64 " tick %" PRIu64 " ticks %" PRIu64 "\n",
		region, kernel, counts[0] - at_begin[0],
		tick_instructions - ticks_at_begin[0], nr_ticks - ticks_at_begin[1]);
	for (size_t i = 1; i < nr_symbols; i++) {
		if (counts[i] != at_begin[i])
			fprintf(out, "function %s %" PRIu64 "\n", symbols[i].name,
				counts[i] - at_begin[i]);
	}
	for (size_t i = 0; i < nr_cuts; i++) {
		if (cuts[i].steps == 0)
			continue;
		fprintf(out, "steps %s", cuts[i].name ? cuts[i].name : "-");
		for (size_t k = 0; k < cuts[i].steps; k++)
			fprintf(out, " %" PRIu64, cuts[i].step[k]);
		fputc('\n', out);
	}
	fprintf(out, "end %u\n", region);
	fflush(out);
}

static void leave_tick(void)
{
	uint64_t in_tick = 0;

	for (size_t i = 0; i < nr_symbols; i++)
		in_tick += counts[i] - at_tick[i];
	tick_instructions += in_tick;
	memcpy(counts, at_tick, nr_symbols * sizeof(*counts));
	tick_depth = 0;
}

/* An interrupt or exception is entered; data is set for the timer's. */
static void interrupted(unsigned int vcpu, void *data)
{
	(void)vcpu;
	if (tick_depth > 0) {
		tick_depth++;
	} else if (data) {
		tick_depth = 1;
		nr_ticks++;
		memcpy(at_tick, counts, nr_symbols * sizeof(*counts));
	}
}

/* Called before the instruction itself is counted, in data: the last of the tick. */
static void returned(unsigned int vcpu, void *data)
{
	uint64_t *own = data;

	(void)vcpu;
	if (tick_depth > 0 && --tick_depth == 0) {
		leave_tick();
		(*own)--;
		tick_instructions++;
	}
}

static void scheduled(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	if (tick_depth > 0)
		leave_tick();
}

/* The symbol that an address belongs to: the last that does not begin later. */
static size_t symbol_of(uint64_t address)
{
	size_t low = 0, high = nr_symbols;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (symbols[middle].address <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static bool is_interrupt_entry(const struct symbol *symbol)
{
	return !strncmp(symbol->name, "asm_sysvec_", 11) ||
	       !strncmp(symbol->name, "asm_exc_", 8) ||
	       !strcmp(symbol->name, "asm_common_interrupt");
}

static void watch_kernel(struct qemu_plugin_insn *insn, uint64_t address, size_t s)
{
	const unsigned char *bytes = qemu_plugin_insn_data(insn);
	const struct symbol *symbol = &symbols[s];

	if (qemu_plugin_insn_size(insn) == 2 && bytes[0] == 0x48 && bytes[1] == 0xcf)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, returned, CB_NO_REGS, &counts[s]);
	if (address != symbol->address)
		return;
	if (is_interrupt_entry(symbol))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, interrupted, CB_NO_REGS,
						       address == tick_entry ? &tick_entry : NULL);
	if (address == schedule_entry)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, scheduled, CB_NO_REGS, NULL);
	for (size_t i = 1; i < nr_cuts; i++) {
		if (address == cuts[i].address)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, cut, CB_NO_REGS, &cuts[i]);
	}
}

static void watch_user(struct qemu_plugin_insn *insn)
{
	const unsigned char *bytes = qemu_plugin_insn_data(insn);

	if (qemu_plugin_insn_size(insn) != 3 || bytes[0] != 0x66 || bytes[1] != 0x87)
		return;
	if (bytes[2] == 0xdb)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, CB_NO_REGS, NULL);
	else if (bytes[2] == 0xd2)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, cut, CB_NO_REGS, &cuts[0]);
	else if (bytes[2] == 0xc9)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, end, CB_NO_REGS, NULL);
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	size_t s = 0;

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);

		if (i == 0 || address < symbols[s].address ||
		    (s + 1 < nr_symbols && address >= symbols[s + 1].address))
			s = symbol_of(address);
		/* One a time and not once a block: a block can be left in its middle. */
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &counts[s], 1);
		if (s == 0)
			watch_user(insn);
		else
			watch_kernel(insn, address, s);
	}
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static bool read_symbols(const char *path)
{
	FILE *file = fopen(path, "r");
	char name[512], type;
	uint64_t address;
	size_t room = 0, kept = 0;

	if (!file)
		return false;
	while (fscanf(file, "%" SCNx64 " %c %511s", &address, &type, name) == 3) {
		if (nr_symbols + 1 >= room) {
			room = room ? 2 * room : 65536;
			symbols = realloc(symbols, room * sizeof(*symbols));
			if (!symbols)
				return false;
		}
		if (nr_symbols == 0)
			symbols[nr_symbols++] = (struct symbol){ 0, strdup("-") };
		/* Addresses of per-CPU variables begin at 0. */
		if (address >= KERNEL_BEGIN && strchr("tTwW", type))
			symbols[nr_symbols++] = (struct symbol){ address, strdup(name) };
	}
	fclose(file);
	if (nr_symbols < 2)
		return false;
	qsort(symbols, nr_symbols, sizeof(*symbols), by_address);
	for (size_t i = 1; i < nr_symbols; i++) {
		if (symbols[i].address != symbols[kept].address)
			symbols[++kept] = symbols[i];
	}
	nr_symbols = kept + 1;
	return true;
}

static uint64_t address_of(const char *name)
{
	for (size_t i = 1; i < nr_symbols; i++) {
		if (!strcmp(symbols[i].name, name))
			return symbols[i].address;
	}
	return 0;
}

EXPORT int qemu_plugin_install(plugin_id id, const plugin_info *info, int argc, char **argv)
{
	const char *syms = NULL;

	if (!info->system_emulation || info->system.smp_vcpus != 1) {
		fprintf(stderr, "phyr count: a machine with one processor is needed\n");
		return 1;
	}
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
		else if (!strncmp(argv[i], "syms=", 5))
			syms = argv[i] + 5;
		else if (!strncmp(argv[i], "at=", 3) && nr_cuts <= MAX_AT)
			cuts[nr_cuts++].name = strdup(argv[i] + 3);
		else {
			fprintf(stderr, "phyr count: %s: not known, or too many\n", argv[i]);
			return 1;
		}
	}
	if (!out || !syms || !read_symbols(syms)) {
		fprintf(stderr, "phyr count: out= and syms= have to name files\n");
		return 1;
	}
	counts = calloc(nr_symbols, sizeof(*counts));
	at_begin = calloc(nr_symbols, sizeof(*counts));
	at_tick = calloc(nr_symbols, sizeof(*counts));
	if (!counts || !at_begin || !at_tick)
		return 1;
	for (size_t i = 0; i < nr_cuts; i++) {
		cuts[i].step = malloc(MAX_STEPS * sizeof(*cuts[i].step));
		cuts[i].address = cuts[i].name ? address_of(cuts[i].name) : 0;
		if (!cuts[i].step)
			return 1;
		if (cuts[i].name && !cuts[i].address) {
			fprintf(stderr, "phyr count: at=%s: this kernel has no such function\n",
				cuts[i].name);
			return 1;
		}
	}
	tick_entry = address_of("asm_sysvec_apic_timer_interrupt");
	schedule_entry = address_of("__schedule");
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
