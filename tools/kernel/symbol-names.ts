// SPDX-License-Identifier: GPL-2.0-only

/**
 * A symbol's name without the numbers that the compiler or the preprocessor count: they are others as soon as a
 * function or a line is added somewhere in front. Each becomes a star, so that `a.3`, a static variable in a
 * function, never has the name of `a`, one outside.
 *
 * @returns "__func__.*", "foo.constprop.*", "__UNIQUE_ID_description_*", "__initcall__kmod_bio__*_*_init_bio4".
 */
export function plainName(name: string): string {
  if (name.startsWith('__UNIQUE_ID_')) return name.replace(/_?\d+$/, '_*')
  // UVERBS_OBJECT_METHODS of include/rdma/uverbs_named_ioctl.h puts the line behind the name.
  if (name.startsWith('_object_methods_')) return name.replace(/\d+$/, '*')
  if (name.includes('call__kmod_')) return name.replace(/^(\w*?call__kmod_.*?__)\d+_\d+_/, '$1*_*_')
  return name.includes('.') ? name.replaceAll(/\.\d+(?=\.|$)/g, '.*') : name
}

/** Whether a symbol is one for the assembler alone, that only got into the file because the linker may merge it. */
export function isScratchName(name: string): boolean {
  return name === '' || name.startsWith('.L')
}
