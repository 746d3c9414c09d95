// SPDX-License-Identifier: GPL-2.0-only
import { SHF, SHT } from '../lib/elf.ts'
import type { SectionHeader } from '../lib/elf-file.ts'

/** What a section is for: the letters of nm(1), text, data, read-only data, bss. */
export type SymbolKind = 't' | 'd' | 'r' | 'b'

/** What a symbol's content is, as far as its section says. */
export function kindOf(section: SectionHeader): SymbolKind {
  if (section.flags & SHF.execinstr) return 't'
  if (section.type === SHT.nobits) return 'b'
  return section.flags & SHF.write && !section.name.startsWith('.data..ro_after_init') ? 'd' : 'r'
}

/**
 * The part of a section's name that somebody wrote: ".init.text", ".data..percpu", "__param". The compiler chooses
 * between .text and .text.unlikely, .data and .data.rel, .rodata and .rodata.str by itself: "" for all of those.
 */
export function placeOf(section: SectionHeader): string {
  return /^\.(?:text|data|rodata|bss)(?:\.(?!\.)|$)/.test(section.name) ? '' : section.name
}

/** Sections of which symbols and content are looked at. */
export function isCompared(section: SectionHeader): boolean {
  return (section.flags & SHF.alloc) !== 0 && !/^\.(?:discard\.|orc_|note)/.test(section.name)
}

/**
 * Tables of places in the code. A record belongs to the function that its first relocation points into. Those that
 * objtool makes from the code itself (call sites, return sites, mcount) say nothing that the code does not say.
 */
export interface SiteTable {
  /** Bytes of a record; undefined: as far as the next relocation into code. */
  readonly recordBytes: number | undefined
  /** Bytes that hold a line number, from the end of the record. */
  readonly line?: readonly [from: number, to: number]
  /** Byte of the record that says how many bytes of code its second relocation means. */
  readonly codeBytesAt?: number
}

/** The table of sites that a section is; "ignored" for one that is made from others. */
export function siteTableOf(section: SectionHeader, bits: 32 | 64): SiteTable | 'ignored' | undefined {
  switch (section.name) {
    case '__ex_table':
      return { recordBytes: 12 }
    case '.altinstructions':
      // struct alt_instr (arch/x86/include/asm/alternative.h) ends in `u8 instrlen, replacementlen`.
      return { recordBytes: 14, codeBytesAt: 13 }
    case '__jump_table':
      return { recordBytes: bits === 64 ? 16 : 12 }
    case '.smp_locks':
      return { recordBytes: 4 }
    case '__bug_table':
      // struct bug_entry ends in `unsigned short line, flags` (include/asm-generic/bug.h).
      return { recordBytes: undefined, line: [-4, -2] }
    case '.static_call_sites':
    case '.call_sites':
    case '.return_sites':
    case '.retpoline_sites':
    case '.ibt_endbr_seal':
    case '.cfi_sites':
    case '__mcount_loc':
    case '__patchable_function_entries':
      return 'ignored'
    default:
      return section.name.startsWith('runtime_') ? { recordBytes: 4 } : undefined
  }
}
