/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 64 KiB firmware that tells whether an accelerator really runs a 64-bit guest.
 *
 * It starts at the reset vector, enters long mode with paging, and then does what a kernel does early and what
 * half-working accelerators get wrong: a loop that takes seconds under an instruction emulator, writes through several
 * page table entries, cmpxchg16b and fxsave/fxrstor. It leaves through isa-debug-exit with 0x10 when all is right and with
 * 0x11..0x13 when a check failed. On the way it writes a letter a stage to the first serial port:
 *   R real mode, P protected mode, L long mode, 6 done.
 */
#define SERIAL		0x3f8
#define EXIT		0xf4
#define ROM		0xf0000		/* the ROM's last 64 KiB, as seen below 1 MiB */
#define PML4		0x1000
#define PDPT		0x2000
#define PD		0x3000
#define STACK		0x8000
#define LOOPS		50000000
#define CR0_PE		(1 << 0)
#define CR0_PG		(1 << 31)
#define CR4_PAE		(1 << 5)
#define CR4_OSFXSR	(1 << 9)
#define MSR_EFER	0xc0000080
#define EFER_LME	(1 << 8)
#define PTE_TABLE	0x003		/* present, writable */
#define PTE_2M		0x083		/* and a 2 MiB page */

.macro say letter
	movw	$SERIAL, %dx
	movb	$\letter, %al
	outb	%al, %dx
.endm

.macro leave_with value
	movw	$EXIT, %dx
	movb	$\value, %al
	outb	%al, %dx
.endm

	.text
	.globl	_start
rom:
	.code16
real:
	cli
	cld
	say	'R'
	lgdtl	%cs:(gdt_pointer - rom)
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$(code32 - gdt), $(ROM + protected - rom)

	.code32
protected:
	movw	$(data - gdt), %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$STACK, %esp
	say	'P'

	/* Identity map of the first GiB in 2 MiB pages. */
	movl	$PML4, %edi
	xorl	%eax, %eax
	movl	$(3 * 4096 / 4), %ecx
	rep stosl
	movl	$(PDPT | PTE_TABLE), PML4
	movl	$(PD | PTE_TABLE), PDPT
	movl	$PD, %edi
	movl	$PTE_2M, %eax
	movl	$512, %ecx
1:	movl	%eax, (%edi)
	addl	$8, %edi
	addl	$0x200000, %eax
	loop	1b

	movl	%cr4, %eax
	orl	$(CR4_PAE | CR4_OSFXSR), %eax
	movl	%eax, %cr4
	movl	$PML4, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	ljmpl	$(code64 - gdt), $(ROM + long - rom)

	.code64
long:
	say	'L'
	xorl	%eax, %eax
	cpuid

	movl	$LOOPS, %ecx
1:	decl	%ecx
	jnz	1b

	/* 16 pages of 2 MiB: each holds its own address. */
	movl	$0x200000, %edi
	movl	$16, %ecx
1:	movq	%rdi, (%rdi)
	addq	$0x200000, %rdi
	loop	1b
	movl	$0x200000, %edi
	movl	$16, %ecx
1:	cmpq	%rdi, (%rdi)
	jne	bad_memory
	addq	$0x200000, %rdi
	loop	1b

	/* Compare with what is there (0, 0), so that 1:2 gets written; check that it was. */
	movl	$0x2800000, %esi
	movq	$0, (%rsi)
	movq	$0, 8(%rsi)
	xorl	%eax, %eax
	xorl	%edx, %edx
	movl	$1, %ebx
	movl	$2, %ecx
	lock cmpxchg16b (%rsi)
	jnz	bad_cmpxchg
	cmpq	$1, (%rsi)
	jne	bad_cmpxchg
	cmpq	$2, 8(%rsi)
	jne	bad_cmpxchg

	/* xmm0 has to survive a save and a restore. */
	fninit
	movl	$0x2900000, %edi
	movq	$0x5068797250687972, %rax
	movq	%rax, %xmm0
	fxsaveq	(%rdi)
	pxor	%xmm0, %xmm0
	fxrstorq (%rdi)
	movq	%xmm0, %rbx
	cmpq	%rax, %rbx
	jne	bad_fpu

	say	'6'
	leave_with 0x10
bad_memory:
	leave_with 0x11
bad_cmpxchg:
	leave_with 0x12
bad_fpu:
	leave_with 0x13

	.balign 8
gdt:	.quad	0
code32:	.quad	0x00cf9a000000ffff
data:	.quad	0x00cf92000000ffff
code64:	.quad	0x00af9a000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	ROM + gdt - rom

	.org	0xfff0
	.code16
_start:	ljmp	$0xf000, $(real - rom)
	.org	0x10000
