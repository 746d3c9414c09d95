// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readObject } from '../../../tools/lib/elf-object.ts'
import { decode, isNop } from '../../../tools/kernel/x86-length.ts'
import { Compiler } from './compile-c.ts'

const c = new Compiler()
afterAll(() => c.remove())

const BOTH = `
  nop; pause; nopw 0(%eax,%eax,1); ret; ret $8; int3; int $0x80; ud2; hlt; cli; leave; cmpxchg8b (%ecx)
  movb $1, (%eax); movw $1, 4(%eax); movl $1, 0x1234(%eax,%ecx,4); movl $5, 0x12345678; mov $7, %ebx; movw $7, %bx
  add $1, %eax; add $0x1234567, %eax; addw $0x123, %ax; add $0x12345, %ecx; and $3, %cl; test $1, %al; test $0x123, %eax
  testb $1, 3(%ecx); testl $0x10000, (%ecx); testw $0x100, (%ecx); notl (%eax); negl %eax; mull (%ecx); divb %cl
  imul $3, %eax, %ecx; imul $0x333, (%eax), %ecx; shl $3, %eax; shl %cl, %eax; shl %eax; shld $3, %eax, %ecx; btl $5, (%eax)
  push $1; push $0x12345; movzbl (%eax), %eax; cmovne %eax, %ecx; sete %al; bswap %eax; xadd %eax, (%ecx)
  lock cmpxchg %ecx, (%edx); rep movsb; repne scasb; cpuid; rdtsc; wrmsr; invlpg (%eax); enter $8, $0
  movd %eax, %xmm0; pshufd $1, %xmm1, %xmm2; pshufb %xmm1, %xmm2; palignr $8, %xmm1, %xmm2; crc32b %al, %ecx; sha1rnds4 $1, %xmm1, %xmm2
  vpaddd %ymm1, %ymm2, %ymm3; vpshufd $1, %ymm1, %ymm2; vpshufb %ymm1, %ymm2, %ymm3; vpalignr $1, %ymm1, %ymm2, %ymm3
  vpaddd %zmm1, %zmm2, %zmm3; vprold $7, %zmm1, %zmm2; vpternlogd $1, %zmm1, %zmm2, %zmm3; vzeroupper; rorx $3, %eax, %ecx; andn %eax, %ecx, %edx
  fldl (%eax); fsin; fxsave (%eax); xsave (%eax); clflush (%eax); prefetchw (%eax); rdrand %eax; endbr32; stac; vmcall; in $1, %al
1: jmp 1b; je 1b; call 1b; jmp 2f; jne 2f; loop 1b; .skip 300, 0x90
2: xor %eax, %eax; call *4(%eax); jmp *0x1000(,%eax,4); xlat; lodsb; xchg %eax, %ecx
`
const ONLY64 = `
  mov $0x123456789abcdef, %rax; movabs 0x123456789abcdef, %al; mov 8(%rip), %rax; cmpl $1, 8(%rip); movq $5, (%r12); mov $-1, %r13
  push %r12; lea 0(%rsi), %esi; mov %gs:8, %rax; movq %fs:0(%rax), %rcx; addr32 mov (%eax), %ecx; cmpxchg16b (%rax); swapgs; sysretq; iretq
  data16 call . + 5; bnd jmp . + 6; notrack jmp *%rax; xsha256; rdgsbase %rax; wrssq %rax, (%rcx); movabs $5, %r8; vpaddd (%r8,%r9,8), %ymm10, %ymm11
`
const ONLY32 = `
  inc %eax; dec %edi; pusha; popa; les (%eax), %ecx; lds (%eax), %ecx; bound %eax, (%ecx); ljmp $1, $2; daa; aam $10; mov (%bx,%si), %ax
  mov 4(%bp), %ax; mov 0x1234, %al; addr16 mov 0x1234, %eax; mov 0x1234(%bx), %cx; push %es; pop %ds; arpl %ax, (%ecx); mov %cr3, %eax; jmp *%eax
`

describe.each([64, 32] as const)('decode, %s bits', (bits) => {
  it('agrees with objdump on every instruction', () => {
    const source = join(c.dir, `all${bits}.s`)
    const text = BOTH + (bits === 64 ? ONLY64 : ONLY32)
    writeFileSync(source, text)
    const object = join(c.dir, `all${bits}.o`)
    execFileSync('as', [`--${bits}`, '-march=+padlock', '-o', object, source])
    const section = readObject(object, ({ name }) => name === '.text').sections.find(
      (s) => s.name === '.text',
    )!
    const listing = execFileSync('objdump', ['-dwz', '-M', 'intel64', object], { encoding: 'utf8' })
    const at = [...listing.matchAll(/^ +([0-9a-f]+):\t((?:[0-9a-f]{2} )+)/gm)].map(
      ([, offset = '', bytes = '']) => ({
        at: Number.parseInt(offset, 16),
        length: bytes.trim().split(' ').length,
      }),
    )
    expect(at.length).toBeGreaterThan(400)
    const got = at.map(({ at: pos }) => ({
      at: pos,
      length: decode(section.bytes, pos, section.size, bits)?.length,
    }))
    expect(got).toEqual(at)
    expect(decode(section.bytes, section.size, section.size, bits)).toBeUndefined()
  })

  it('knows relative jumps, and where their distance is', () => {
    const code = (...bytes: number[]): unknown => decode(Buffer.from(bytes), 0, bytes.length, bits)
    expect(code(0xeb, 5)).toEqual({ length: 2, distanceAt: 1, opcodeAt: 0 })
    expect(code(0x2e, 0x0f, 0x84, 1, 2, 3, 4)).toEqual({ length: 7, distanceAt: 3, opcodeAt: 1 })
    expect(code(0xe8, 1, 2, 3, 4)).toEqual({ length: 5, distanceAt: 1, opcodeAt: 0 })
    expect(code(0xb8, 1, 2, 3, 4)).toMatchObject({ length: 5, distanceAt: 0 })
    expect(code(0xe8, 1, 2, 3)).toBeUndefined()
  })

  it('knows instructions that do nothing', () => {
    const nop = (...bytes: number[]): boolean => {
      const code = Buffer.from(bytes)
      return isNop(code, 0, decode(code, 0, code.length, bits)!, bits)
    }
    expect(nop(0x90)).toBe(true)
    expect(nop(0x66, 0x90)).toBe(true)
    expect(nop(0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0)).toBe(true)
    expect(nop(0xf3, 0x90)).toBe(false) // pause
    expect(nop(0x8d, 0x76, 0)).toBe(bits === 32) // lea 0(%esi),%esi: clears the upper half in 64-bit mode
    expect(nop(0x8d, 0xb4, 0x26, 0, 0, 0, 0)).toBe(bits === 32)
    expect(nop(0x8d, 0x76, 4)).toBe(false)
    expect(nop(0x8d, 0x46, 0)).toBe(false)
  })
})
