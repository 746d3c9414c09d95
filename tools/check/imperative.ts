// SPDX-License-Identifier: GPL-2.0-only

/** Verbs that summaries of kernel patches begin with; their other forms are made from these. */
const VERBS = (
  'accept add adjust align allocate allow annotate apply assign attach avoid batch benchmark bind block build bump ' +
  'cache call change charge check clean clear collect combine compare compile compute convert copy correct count ' +
  'cover create cut decode decrease defer define delete describe detach detect disable document drop dump emit ' +
  'enable encode enforce ensure expand explain export expose extend extract factor fail fill filter fix fold force ' +
  'free gather generate grab guard handle hide hold ignore implement import improve include increase initialise ' +
  'initialize inline insert install introduce invalidate join keep let limit link list load lock log look make map ' +
  'mark match measure merge migrate move name need optimise optimize order parse pass permit pin place plug prefer ' +
  'prepare prevent print propagate protect provide put queue raise read rearrange reduce refactor refuse register ' +
  'reject relax release remove rename reorder reorganise reorganize repair replace report request require reset ' +
  'resolve respect restore restrict return reuse revert rework rewrite round run save schedule select send ' +
  'separate serialise serialize set share show shorten simplify skip sort split spell start stop store strip ' +
  'support suppress switch synchronise synchronize take tell terminate test tidy trace track treat trim turn unify ' +
  'unmap unpin update use validate verify wait walk warn wrap write zero'
).split(' ')

const IRREGULAR: Readonly<Record<string, readonly string[]>> = {
  bind: ['bound'],
  build: ['built'],
  hide: ['hid', 'hidden'],
  hold: ['held'],
  keep: ['kept'],
  make: ['made'],
  send: ['sent'],
  show: ['shown'],
  take: ['took', 'taken'],
  tell: ['told'],
  write: ['wrote', 'written'],
}

const WRONG = new Map(VERBS.flatMap((verb) => forms(verb).map((form) => [form, verb] as const)))

/**
 * The imperative that a summary could begin with when it begins with another form of a verb ("added", "adds",
 * "adding": "add"); undefined when nothing is known against it. A heuristic: a list of verbs, no grammar.
 */
export function imperativeOf(firstWord: string): string | undefined {
  const word = firstWord.toLowerCase()
  return VERBS.includes(word) ? undefined : WRONG.get(word)
}

/** Third person, past and gerund of a regular verb, and of the irregular ones among VERBS. */
function forms(verb: string): string[] {
  const irregular = IRREGULAR[verb] ?? []
  const stem = verb.replace(/e$/, '')
  const hard = verb.replace(/y$/, 'i')
  const third = /(?:s|x|z|ch|sh)$/.test(verb)
    ? `${verb}es`
    : /[^aeiou]y$/.test(verb)
      ? `${hard}es`
      : `${verb}s`
  const past = verb.endsWith('e') ? `${verb}d` : /[^aeiou]y$/.test(verb) ? `${hard}ed` : `${verb}ed`
  // One vowel and one consonant at the end, as in drop, set, plug: the consonant is doubled.
  const last = /^[^aeiou]*[aeiou][bdglmnprt]$/.test(verb) ? (verb.at(-1) ?? '') : ''
  const doubled = last ? [`${verb}${last}ed`, `${verb}${last}ing`] : []
  return [third, past, `${stem}ing`, ...doubled, ...irregular]
}
