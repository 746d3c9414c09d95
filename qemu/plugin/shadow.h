/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The call stack of a guest's kernel, followed from outside: from the blocks
 * of instructions that are executed, how each ends, and where the next one
 * begins. Nothing here knows QEMU, so that made sequences test it.
 *
 *   call       the next block is a function that returns behind the call
 *   return     continues a frame: the stack is cut to it. A return to where
 *              a function begins is a jump (that is what a retpoline does).
 *   jump       into another function: it takes the place of its caller
 *   interrupt  begins a path of its own; iret continues what it interrupted,
 *              also a call or return whose target was not executed yet
 *   switch     another task's stack; which one, the caller knows
 *
 * What cannot be followed is not guessed at. It is counted under [lost] until
 * a return continues a known frame or user space runs; and what a task does
 * that was never seen to be switched away from, under [switched].
 *
 * Memory is bounded: SHADOW_DEPTH frames a stack (what is called from deeper
 * counts in the place of the deepest frame), SHADOW_TASKS stacks (the one
 * that waited longest is forgotten), PATHS paths.
 */
#ifndef PHYR_SHADOW_H
#define PHYR_SHADOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "paths.h"

#ifndef SHADOW_DEPTH	/* tests have smaller ones */
#define SHADOW_DEPTH	192
#define SHADOW_TASKS	1024
#endif
/* Interrupts still get a frame on a stack whose calls do not. */
#define SHADOW_FRAMES	(SHADOW_DEPTH + 16)

/* Functions are numbers. These three are no functions of the kernel. */
enum { SHADOW_USER, SHADOW_SWITCHED, SHADOW_LOST, SHADOW_FIRST };

/* How a block ends. FALLS is every way that stays in sight: conditions, too. */
enum shadow_exit { FALLS, JUMPS, CALLS, RETURNS, IRETS };

/* What arriving at a block can mean. */
enum shadow_entry { NO_ENTRY, INTERRUPT, TICK, NEW_TASK, SCHEDULE };

/* Instructions of one function that are executed in a row. */
struct shadow_block {
	uint64_t begin;
	uint64_t last;		/* the address of the last instruction */
	uint64_t end;		/* the address behind it */
	uint64_t target;	/* of a direct call or jump, otherwise 0 */
	uint32_t function;
	uint32_t instructions;
	uint8_t exit;
	uint8_t entry;
	bool first;		/* whether the function begins here */
};

struct shadow_frame {
	uint64_t continues;	/* where the function that it called returns to */
	const struct shadow_block *interrupted;	/* what ran to its end before, or NULL */
	uint32_t function;
	uint32_t root;		/* 0, or the function that the path begins with */
	uint32_t path;		/* that ends here, or 0 when it has not been looked up */
	bool interrupt;
};

struct shadow_stack {
	unsigned int depth;
	unsigned int tick;	/* 0, or the depth of the timer's frame */
	bool full;
	struct shadow_frame frames[SHADOW_FRAMES];
};

struct shadow_task {
	uint64_t key;
	uint64_t since;
	struct shadow_stack *stack;
};

struct shadow {
	struct shadow_stack *stack;
	const struct shadow_block *block;
	uint64_t started;	/* instructions executed when the block began */
	uint64_t counted;	/* instructions executed that have been counted */
	bool counting;
	uint64_t tick;		/* instructions in the timer's interrupt */
	uint64_t cut;		/* instructions of calls deeper than SHADOW_DEPTH */

	uint64_t leaving;	/* the task that is switched away from, or 0 */
	uint64_t switches;
	struct shadow_task tasks[SHADOW_TASKS];
	unsigned int nr_tasks;

	struct paths paths;
};

static inline bool shadow_init(struct shadow *s)
{
	memset(s, 0, sizeof(*s));
	s->stack = calloc(1, sizeof(*s->stack));
	return paths_init(&s->paths, SHADOW_LOST) && s->stack;
}

static inline void shadow_free(struct shadow *s)
{
	for (unsigned int i = 0; i < s->nr_tasks; i++)
		free(s->tasks[i].stack);
	free(s->stack);
	paths_free(&s->paths);
}

/* The path of the innermost frame. */
static inline uint32_t shadow_path(struct shadow *s)
{
	struct shadow_stack *k = s->stack;
	unsigned int i = k->depth;

	if (i == 0)
		return paths_child(&s->paths, 0, SHADOW_LOST);
	while (i > 0 && !k->frames[i - 1].path)
		i--;
	for (; i < k->depth; i++) {
		struct shadow_frame *f = &k->frames[i];
		uint32_t parent = i > 0 && !f->root ? k->frames[i - 1].path : 0;

		if (f->root && f->root != f->function)
			parent = paths_child(&s->paths, 0, f->root);
		f->path = paths_child(&s->paths, parent, f->function);
	}
	return k->frames[k->depth - 1].path;
}

/* Counts what was executed since it was last asked to. */
static inline void shadow_count(struct shadow *s, uint64_t executed)
{
	uint64_t n = executed - s->counted;

	s->counted = executed;
	if (!s->counting || n == 0)
		return;
	if (s->stack->tick) {
		s->tick += n;
		return;
	}
	s->paths.path[shadow_path(s)].count += n;
	if (s->stack->full)
		s->cut += n;
}

static inline void shadow_begin(struct shadow *s, uint64_t executed)
{
	s->counting = true;
	s->counted = executed;
	s->tick = s->cut = 0;
	paths_clear(&s->paths);
}

static inline void shadow_end(struct shadow *s, uint64_t executed)
{
	shadow_count(s, executed);
	s->counting = false;
}

/* Whether a path begins with what stands for not knowing. */
static inline bool shadow_unknown(const struct shadow *s, uint32_t path)
{
	uint32_t root = paths_root(&s->paths, path);

	return root == SHADOW_SWITCHED || root == SHADOW_LOST;
}

static inline void shadow_cut(struct shadow_stack *k, unsigned int depth)
{
	k->depth = depth;
	if (depth < k->tick)
		k->tick = 0;
	if (depth < SHADOW_DEPTH)
		k->full = false;
}

/* The innermost frame runs another function now. */
static inline void shadow_replace(struct shadow_stack *k, uint32_t function)
{
	struct shadow_frame *f = &k->frames[k->depth - 1];

	if (f->function == function)
		return;
	f->function = function;
	f->path = 0;
}

static inline struct shadow_frame *shadow_push(struct shadow_stack *k, uint32_t function,
					       uint32_t root, unsigned int limit)
{
	if (k->depth >= limit) {
		k->full = true;
		shadow_replace(k, function);
		return NULL;
	}
	k->frames[k->depth] = (struct shadow_frame){ .function = function, .root = root };
	return &k->frames[k->depth++];
}

/* Number of frames that an interrupt of the kernel left below it, 0 when none is on the stack. */
static inline unsigned int shadow_interrupt(const struct shadow_stack *k)
{
	unsigned int i = k->depth;

	while (i > 0 && !k->frames[i - 1].interrupt)
		i--;
	return i ? i - 1 : 0;
}

/* What runs now has no known caller. The frames below stay: a return may yet continue one of them. */
static inline void shadow_lose(struct shadow_stack *k, uint32_t function)
{
	struct shadow_frame *f = &k->frames[k->depth - 1];

	if (f->root && f->root != SHADOW_LOST && f->root != SHADOW_SWITCHED) {
		shadow_push(k, function, SHADOW_LOST, SHADOW_FRAMES);
		return;
	}
	if (!f->root)
		f->root = SHADOW_LOST;
	f->function = function;
	f->path = 0;
}

/* Cuts the stack to the frame that continues at an address, if one of this interrupt's does. */
static inline bool shadow_return(struct shadow_stack *k, const struct shadow_block *b)
{
	if (k->depth == 0)
		return false;
	for (unsigned int i = k->depth - 1; i > 0 && !k->frames[i].interrupt; i--) {
		if (k->frames[i - 1].continues == b->begin) {
			shadow_cut(k, i);
			shadow_replace(k, b->function);
			return true;
		}
	}
	return false;
}

static inline void shadow_jump(struct shadow_stack *k, const struct shadow_block *b)
{
	struct shadow_frame *f = &k->frames[k->depth - 1];

	/* The stubs of the vectors lie in front of the common entry. */
	if (f->interrupt && (b->entry == INTERRUPT || b->entry == TICK))
		f->root = b->function;
	shadow_replace(k, b->function);
}

/* Control goes from the end of one block to the begin of another. */
static inline void shadow_arrive(struct shadow_stack *k, enum shadow_exit exit,
				 const struct shadow_block *from, const struct shadow_block *b)
{
	struct shadow_frame *f = &k->frames[k->depth - 1];

	switch (exit) {
	case CALLS:
		f->continues = from->end;
		shadow_push(k, b->function, 0, SHADOW_DEPTH);
		return;
	case RETURNS:
		if (shadow_return(k, b))
			return;
		if (b->first) {
			/* A thunk calls itself to get an address to overwrite. */
			while (k->depth > 1 && !k->frames[k->depth - 1].root &&
			       k->frames[k->depth - 2].function == k->frames[k->depth - 1].function)
				shadow_cut(k, k->depth - 1);
			shadow_jump(k, b);
		} else if (k->full) {
			shadow_replace(k, b->function);
		} else {
			shadow_lose(k, b->function);
		}
		return;
	case JUMPS:
		if (!from->target && !b->first && b->function != f->function &&
		    shadow_return(k, b))
			return;
		shadow_jump(k, b);
		return;
	default:
		shadow_jump(k, b);
	}
}

static inline void shadow_iret(struct shadow_stack *k, const struct shadow_block *from,
			       const struct shadow_block *b)
{
	unsigned int depth = shadow_interrupt(k);
	const struct shadow_block *interrupted;

	/* To itself: the way to make a processor wait for its own changes of code. */
	if (b->begin == from->end && !k->frames[k->depth - 1].interrupt) {
		shadow_jump(k, b);
		return;
	}
	if (depth == 0) {
		shadow_lose(k, b->function);
		return;
	}
	interrupted = k->frames[depth].interrupted;
	shadow_cut(k, depth);
	if (interrupted && b->begin != interrupted->last)
		shadow_arrive(k, interrupted->exit, interrupted, b);
	else
		shadow_jump(k, b);
}

/* An interrupt: its frame knows how what it interrupts had ended, to go on from there. */
static inline void shadow_interrupted(struct shadow_stack *k, const struct shadow_block *ended,
				      const struct shadow_block *b)
{
	struct shadow_frame *f = k->depth ? &k->frames[k->depth - 1] : NULL;

	/* As one ends, the next strikes: both interrupt the same. */
	if (f && f->interrupt && ended && ended->exit == IRETS) {
		ended = f->interrupted;
		shadow_cut(k, k->depth - 1);
	}
	f = shadow_push(k, b->function, b->function, SHADOW_FRAMES);
	if (!f)
		return;
	f->interrupt = true;
	f->interrupted = ended;
	if (b->entry == TICK && !k->tick)
		k->tick = k->depth;
}

static inline void shadow_move(struct shadow_stack *k, const struct shadow_block *from,
			       bool complete, const struct shadow_block *b)
{
	bool from_user = k->depth == 0 || k->frames[0].function == SHADOW_USER;
	bool interrupt = b->entry == INTERRUPT || b->entry == TICK;

	/* The stubs of the vectors jump to the common entry: that is no other interrupt. */
	if (!from_user && (from->end == b->begin || (complete && from->target == b->begin)))
		interrupt = false;
	if (b->function == SHADOW_USER || b->entry == NEW_TASK || from_user) {
		shadow_cut(k, 0);
		if (interrupt)
			shadow_interrupted(k, NULL, b);
		else
			shadow_push(k, b->function, b->function, SHADOW_FRAMES);
	} else if (interrupt) {
		shadow_interrupted(k, complete ? from : NULL, b);
	} else if (complete && from->exit == IRETS) {
		shadow_iret(k, from, b);
	} else {
		shadow_arrive(k, complete ? from->exit : FALLS, from, b);
	}
	/* A task that is switched away from in the timer's interrupt works on when it is back. */
	if (b->entry == SCHEDULE)
		k->tick = 0;
}

/* A block is about to be executed; so many instructions were until now. */
static inline void shadow_enter(struct shadow *s, const struct shadow_block *b, uint64_t executed)
{
	const struct shadow_block *from = s->block;

	if (from && from->function == SHADOW_USER && b->function == SHADOW_USER)
		return;
	shadow_count(s, executed);
	shadow_move(s->stack, from, from && executed - s->started == from->instructions, b);
	s->block = b;
	s->started = executed;
}

/* The running task's stack is put away under a key; see shadow_resume(). */
static inline void shadow_leave(struct shadow *s, uint64_t key)
{
	s->leaving = key;
}

static inline void shadow_park(struct shadow *s, uint64_t key, struct shadow_stack *stack)
{
	struct shadow_task *at = NULL;

	for (unsigned int i = 0; i < s->nr_tasks; i++) {
		struct shadow_task *t = &s->tasks[i];

		if (t->key == key) {
			at = t;
			break;
		}
		if (!at || t->since < at->since)
			at = t;
	}
	if ((!at || at->key != key) && s->nr_tasks < SHADOW_TASKS) {
		at = &s->tasks[s->nr_tasks++];
		at->stack = NULL;
	}
	free(at->stack);
	*at = (struct shadow_task){ key, s->switches, stack };
}

/* Another task runs on; the function that switches is the innermost of its stack, too. */
static inline void shadow_resume(struct shadow *s, uint64_t key, uint64_t executed)
{
	struct shadow_stack *old = s->stack, *found = NULL;
	uint32_t function = old->depth ? old->frames[old->depth - 1].function : SHADOW_LOST;

	shadow_count(s, executed);
	s->switches++;
	for (unsigned int i = 0; i < s->nr_tasks; i++) {
		if (s->tasks[i].key == key) {
			found = s->tasks[i].stack;
			s->tasks[i] = s->tasks[--s->nr_tasks];
			break;
		}
	}
	if (!found) {
		found = calloc(1, sizeof(*found));
		/* Out of memory: the old task is the one that is forgotten. */
		if (!found) {
			shadow_cut(old, 0);
			found = old;
		}
		shadow_push(found, function, SHADOW_SWITCHED, SHADOW_FRAMES);
	}
	s->stack = found;
	if (s->leaving && s->leaving != key && old != found)
		shadow_park(s, s->leaving, old);
	else if (old != found)
		free(old);
	s->leaving = 0;
}

#endif
