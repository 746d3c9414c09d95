// SPDX-License-Identifier: GPL-2.0-only

/** A Kconfig condition, see Documentation/kbuild/kconfig-language.rst ("Menu dependencies"). */
export type Expr =
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'text'; readonly value: string }
  /** A macro such as $(cc-option,-mfoo): only make can tell. */
  | { readonly kind: 'macro'; readonly text: string }
  | { readonly kind: 'not'; readonly of: Expr }
  | { readonly kind: 'and' | 'or'; readonly left: Expr; readonly right: Expr }
  | { readonly kind: 'compare'; readonly op: string; readonly left: Expr; readonly right: Expr }

/** What a .config says about an option; undefined is n. */
export type Lookup = (option: string) => string | undefined

/** 0 is n, 1 is m, 2 is y; undefined: it hangs on a macro. */
export type Tristate = 0 | 1 | 2 | undefined

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*"|'[^']*')|(\$\([^()]*(?:\([^()]*\)[^()]*)*\))|(&&|\|\||!=|<=|>=|[!=<>()])|([\w.-]+))/y

/** Parses a condition; undefined when it is not one. */
export function parseExpr(text: string): Expr | undefined {
  const tokens = tokenize(text)
  if (!tokens) return undefined
  let at = 0
  const peek = (): string | undefined => tokens[at]

  function primary(): Expr | undefined {
    const token = tokens?.[at++]
    if (token === undefined) return undefined
    if (token === '!') {
      const of = primary()
      return of && { kind: 'not', of }
    }
    if (token === '(') {
      const inner = or()
      return tokens?.[at++] === ')' ? inner : undefined
    }
    const left = atom(token)
    const op = peek()
    if (left === undefined || op === undefined || !/^(?:=|!=|<|>|<=|>=)$/.test(op)) return left
    at++
    const next = tokens?.[at++]
    const right = next === undefined ? undefined : atom(next)
    return right && { kind: 'compare', op, left, right }
  }
  function chain(op: string, kind: 'and' | 'or', operand: () => Expr | undefined): Expr | undefined {
    let left = operand()
    while (left && peek() === op) {
      at++
      const right = operand()
      left = right && { kind, left, right }
    }
    return left
  }
  const and = (): Expr | undefined => chain('&&', 'and', primary)
  const or = (): Expr | undefined => chain('||', 'or', and)

  const expr = or()
  return at === tokens.length ? expr : undefined
}

/** The parts that must all hold. */
export function terms(expr: Expr): readonly Expr[] {
  return expr.kind === 'and' ? [...terms(expr.left), ...terms(expr.right)] : [expr]
}

/** The value of a condition for a .config. */
export function evaluate(expr: Expr, lookup: Lookup): Tristate {
  switch (expr.kind) {
    case 'symbol':
      return tristate(valueOf(expr, lookup) ?? 'n')
    case 'text':
      return tristate(expr.value)
    case 'macro':
      return undefined
    case 'not': {
      const of = evaluate(expr.of, lookup)
      return of === undefined ? undefined : ((2 - of) as Tristate)
    }
    case 'and':
    case 'or':
      return combine(expr.kind, evaluate(expr.left, lookup), evaluate(expr.right, lookup))
    default:
      return compare(expr.op, valueOf(expr.left, lookup), valueOf(expr.right, lookup))
  }
}

/** The condition as Kconfig writes it. */
export function show(expr: Expr): string {
  switch (expr.kind) {
    case 'symbol':
      return expr.name
    case 'text':
      return `"${expr.value}"`
    case 'macro':
      return expr.text
    case 'not':
      return `!${expr.of.kind === 'and' || expr.of.kind === 'or' ? `(${show(expr.of)})` : show(expr.of)}`
    case 'and':
      return [expr.left, expr.right].map((e) => (e.kind === 'or' ? `(${show(e)})` : show(e))).join(' && ')
    case 'or':
      return `${show(expr.left)} || ${show(expr.right)}`
    default:
      return `${show(expr.left)}${expr.op}${show(expr.right)}`
  }
}

function tokenize(text: string): string[] | undefined {
  const tokens: string[] = []
  const end = text.trimEnd().length
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(text)
    if (!match) return undefined
    tokens.push(match[0].trimStart())
  }
  return tokens
}

function atom(token: string): Expr | undefined {
  if (/^["']/.test(token)) return { kind: 'text', value: token.slice(1, -1) }
  if (token.startsWith('$(')) return { kind: 'macro', text: token }
  if (/^(?:[ymn]|-?\d+|0x[\da-f]+)$/i.test(token) && !/^[YMN]$/.test(token))
    return { kind: 'text', value: token }
  return /^[\w.-]+$/.test(token) ? { kind: 'symbol', name: token } : undefined
}

function valueOf(expr: Expr, lookup: Lookup): string | undefined {
  if (expr.kind === 'text') return expr.value
  if (expr.kind === 'symbol') return lookup(expr.name)?.replace(/^"(.*)"$/, '$1') ?? 'n'
  return undefined
}

function tristate(value: string): Tristate {
  return value === 'y' ? 2 : value === 'm' ? 1 : 0
}

/** Three-valued and over unknown operands: a false `&&` and a true `||` are known all the same. */
function combine(kind: 'and' | 'or', a: Tristate, b: Tristate): Tristate {
  const decisive = kind === 'and' ? 0 : 2
  if (a === decisive || b === decisive) return decisive
  if (a === undefined || b === undefined) return undefined
  return (kind === 'and' ? Math.min(a, b) : Math.max(a, b)) as Tristate
}

function compare(op: string, a: string | undefined, b: string | undefined): Tristate {
  if (a === undefined || b === undefined) return undefined
  const [x, y] = [Number(a), Number(b)]
  const order = Number.isNaN(x) || Number.isNaN(y) ? (a < b ? -1 : a > b ? 1 : 0) : x - y
  const holds =
    op === '='
      ? order === 0
      : op === '!='
        ? order !== 0
        : op === '<'
          ? order < 0
          : op === '>'
            ? order > 0
            : op === '<='
              ? order <= 0
              : order >= 0
  return holds ? 2 : 0
}
