// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from 'vitest'
import { optionsOf } from '../../../tools/kernel/layout-command.ts'

test('keeps what decides about layouts, whatever command it stands in', () => {
  const cmd = `savedcmd_block/bio.o := ccache gcc -Wp,-MMD,block/.bio.o.d -nostdinc -I/src/include -I ./include \
-include /src/a b.h -D__KERNEL__ -DA -U B -std=gnu11 -fshort-wchar -m64 -march=x86-64 -O2 -Wall -Werror=date-time \
-g -gdwarf-5 -femit-struct-debug-baseonly -fprofile-arcs -DKBUILD_BASENAME='"bio"' -c -o block/bio.o /src/bio.c   ; ./tools/objtool/objtool --orc block/bio.o

source_block/bio.o := /src/bio.c
`
  expect(optionsOf(cmd)).toEqual({
    options:
      '-nostdinc -I/src/include -I ./include -include /src/a -D__KERNEL__ -DA -U B -std=gnu11 -fshort-wchar -m64 -march=x86-64 -O2 -DKBUILD_BASENAME="bio"'.split(
        ' ',
      ),
  })
})

describe('quoting', () => {
  test.each([
    [`-DA='a b'`, '-DA=a b'],
    [`-DA='"a"'`, '-DA="a"'],
    [`-DA="a 'b' \\"c\\" \\\\ d"`, `-DA=a 'b' "c" \\ d`],
    [`-DA=a\\ b\\'c`, `-DA=a b'c`],
    [`-DA='it'\\''s'`, `-DA=it's`],
    [`'-DA=;|&<>()\`*?[~{\\'`, '-DA=;|&<>()`*?[~{\\'],
    [`-DA='$(pound)x'`, '-DA=#x'],
    [`-DA='$$x'`, '-DA=$x'],
    [`-DA=''`, '-DA='],
  ])('%s is one word', (written, meant) => {
    expect(optionsOf(`cmd_a.o := gcc ${written} -c a.c\n`)).toEqual({ options: [meant] })
  })

  test.each([
    '-DA=$(touch /tmp/x)',
    '-DA=$$(touch /tmp/x)',
    "-DA='$(shell touch /tmp/x)'",
    '-DA="$$(touch /tmp/x)"',
    '-DA="`touch /tmp/x`"',
    '-DA=`touch /tmp/x`',
    '-DA=\\$$x',
    '-DA=x | sh',
    '-DA=x && sh',
    '-DA=x & sh',
    '-DA=x > /tmp/x',
    '-DA=x < /tmp/x',
    '-DA=x 2>/tmp/x',
    '( -DA )',
    '-DA=* -DB',
    '-I~/x',
    '-I{a,b}',
    '-DA=?',
    '# -DA',
    "-DA='open",
    '-DA="open',
    '-DA=open\\',
  ])('%s is refused, not run', (written) => {
    expect(optionsOf(`cmd_a.o := gcc ${written}\n`)).toEqual({ why: 'its command needs a shell' })
  })
})

test.each([
  ['cmd_a.o := /tmp/gcc -O2', 'its command is "/tmp/gcc", not gcc'],
  ['cmd_a.o := env X=1 gcc -O2', 'its command is "env", not gcc'],
  ['cmd_a.o := clang -O2', 'its command is "clang", not gcc'],
  ['cmd_a.o := ; gcc -O2', 'its command is "", not gcc'],
  ['cmd_a.o := gcc', 'its command is "gcc", not gcc'],
  ['cmd_a.o := gcc -O2 -fplugin=/x/randomize_layout_plugin.so', 'a plugin of the compiler is used'],
  ['deps_a.o := gcc', 'it names no command'],
  ['', 'it names no command'],
])('%s: %s', (cmd, why) => {
  expect(optionsOf(`${cmd}\n`)).toEqual({ why })
})

test('options that run programs or read arguments from files do not come through', () => {
  const cmd =
    'cmd_a.o := gcc -wrapper sh,-c -B/tmp -specs=/tmp/x @/tmp/args -Xassembler x -save-temps -O2 -pg a.c'
  expect(optionsOf(cmd)).toEqual({ options: ['-O2'] })
})
