"""Prints coefficients.rs: python coefficients.py > coefficients.rs (needs mpmath).

Each function is interpolated in 60 digits at Chebyshev nodes of the interval on which it is used,
which is within a small factor of the best approximation, and the coefficients are rounded to the
type. The stated error is that of the rounded coefficients in exact arithmetic, relative to the
function named. The tail of the normal distribution is a quotient of polynomials, found by
interpolation at nodes that crowd at 0.
"""
import struct

import mpmath as m
from mpmath import mpf

m.mp.dps = 60


def single(x):
    """The nearest f32, as an exact number. Only for numbers that are not subnormal."""
    # Rounding twice (to f64, then to f32) errs only on ties, which do not occur here.
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def double(x):
    return mpf(float(x))


def text(x):
    return repr(float(x))


def nodes(a, b, n):
    a, b = mpf(a), mpf(b)
    return [(a + b) / 2 + (b - a) / 2 * m.cos(m.pi * (2 * k + 1) / (2 * n)) for k in range(n)]


def polynomial(f, a, b, count):
    """Coefficients c0, c1, ... of the interpolant of f."""
    x = nodes(a, b, count)
    rows = m.matrix(count, count)
    for i in range(count):
        for j in range(count):
            rows[i, j] = x[i] ** j
    return list(m.lu_solve(rows, m.matrix([f(t) for t in x])))


def horner(c, x):
    s = mpf(0)
    for a in reversed(c):
        s = s * x + a
    return s


def rational(f, points, n, d):
    """P of degree n and Q of degree d, Q(0) = 1, with P = f Q at n + d + 1 points."""
    size = n + d + 1
    rows, right = m.matrix(size, size), m.matrix(size, 1)
    for i, t in enumerate(points):
        y = f(t)
        for j in range(n + 1):
            rows[i, j] = t ** j
        for j in range(1, d + 1):
            rows[i, n + j] = -y * t ** j
        right[i] = y
    c = list(m.lu_solve(rows, right))
    return c[:n + 1], [mpf(1)] + c[n + 1:]


def array(name, c, what, error=None):
    note = what if error is None else f"{what}; relative error {m.nstr(error, 2)}"
    print(f"    /// {note}.")
    print(f"    pub(in super::super) const {name}: [T; {len(c)}] = [")
    for a in c:
        print(f"        {text(a)},")
    print("    ];")


def scalar(name, x, what):
    print(f"    /// {what}.")
    print(f"    pub(in super::super) const {name}: T = {text(x)};")


def worst(approx, exact, a, b, count=400):
    ts = [a + (b - a) * (mpf(k) + mpf("0.37")) / count for k in range(count)]
    return max(abs(approx(t) / exact(t) - 1) for t in ts)


def parts(x, round_, count):
    out = []
    for _ in range(count):
        p = round_(x)
        out.append(p)
        x -= p
    return out


def tail(t):
    return m.exp(t * t / 2) * m.erfc(t / m.sqrt(2)) / 2


def fit_tail(round_, end, n, d, pole):
    # u in (-1, 1) -> t = pole (1 + u)/(1 - u), cut so that the last node is near the end.
    last = (end - pole) / (end + pole)
    u = nodes(-1, last, n + d + 1)
    p, q = rational(tail, [pole * (1 + v) / (1 - v) for v in u], n, d)
    p, q = [round_(a) for a in p], [round_(a) for a in q]
    grid = [mpf(end) * (mpf(k) / 600) ** 2 for k in range(601)]
    error = max(abs(horner(p, t) / horner(q, t) / tail(t) - 1) for t in grid)
    return p, q, error


def module(name, rust, round_, n):
    print(f"pub(super) mod {name} {{")
    print(f"    type T = {rust};")
    h = m.log(2) / 2 * mpf("1.001")
    # The quotient as a series: 0 is among the nodes.
    c = polynomial(lambda r: sum(r ** k / m.factorial(k + 2) for k in range(40)), -h, h, n["exp"])
    c = [round_(a) for a in c]
    e = worst(lambda r: 1 + r + r * r * horner(c, r), m.exp, -h, h)
    array("EXP", c, "`(e^r − 1 − r)/r²` for |r| ≤ ½ ln 2", e)
    high = m.floor(m.log(2) * 2 ** n["bits"]) / 2 ** n["bits"]
    scalar("LN_2_HIGH", high, f"The first {n['bits']} bits of ln 2: its product with an exponent is exact")
    scalar("LN_2_LOW", round_(m.log(2) - high), "What `LN_2_HIGH` leaves")

    for key, end, what in [("LN", mpf("0.0295"), "√½ < x < √2"), ("LN_1P", mpf(1) / 9, "1 ≤ x ≤ 2")]:
        f = lambda z: (m.atanh(m.sqrt(z)) / m.sqrt(z) - 1) * 2 / z
        c = [round_(a) for a in polynomial(f, 0, end, n[key])]
        e = worst(lambda z: 2 + z * horner(c, z), lambda z: 2 * m.atanh(m.sqrt(z)) / m.sqrt(z), mpf(0), end)
        array(key, c, f"`(ln x/s − 2)/s²` as a function of s², s = (x − 1)/(x + 1), for {what}", e)

    end = (m.pi / 4) ** 2 * mpf("1.001")
    c = [round_(a) for a in polynomial(lambda z: (m.sin(m.sqrt(z)) / m.sqrt(z) - 1) / z, 0, end, n["sin"])]
    e = worst(lambda z: 1 + z * horner(c, z), lambda z: m.sin(m.sqrt(z)) / m.sqrt(z), mpf(0), end)
    array("SIN", c, "`(sin r/r − 1)/r²` as a function of r², for |r| ≤ π/4", e)
    c = [round_(a) for a in polynomial(lambda z: (m.cos(m.sqrt(z)) - 1 + z / 2) / z ** 2, 0, end, n["cos"])]
    e = worst(lambda z: 1 - z / 2 + z * z * horner(c, z), lambda z: m.cos(m.sqrt(z)), mpf(0), end)
    array("COS", c, "`(cos r − 1 + r²/2)/r⁴` as a function of r², for |r| ≤ π/4", e)
    p = parts(m.pi / 2, round_, 3)
    array("HALF_PI", p, "π/2 as a sum")

    end = n["near"] ** 2
    f = lambda z: m.erf(m.sqrt(z)) / m.sqrt(z)
    c = [round_(a) for a in polynomial(f, 0, end, n["erf"])]
    array("ERF", c, f"`erf x/x` as a function of x², for |x| < {m.nstr(n['near'], 3)}",
          worst(lambda z: horner(c, z), f, mpf(0), end))
    p, q, e = fit_tail(round_, n["end"], n["tail"], n["tail"] + 1, n["pole"])
    assert all(a > 0 for a in p + q)
    array("TAIL_P", p, f"Numerator of `e^(t²/2) Φ(−t)` for 0 ≤ t ≤ {m.nstr(mpf(n['end']), 4)}", e)
    array("TAIL_Q", q, "Its denominator")
    a = 2 * m.sqrt(2 / m.pi)
    for key, x in [("GELU_A", a), ("GELU_B", a * mpf("0.044715"))]:
        p = parts(x, round_, 2)
        array(key, p, {"GELU_A": "`2√(2/π)`", "GELU_B": "`0.044715 · 2√(2/π)`"}[key] + " as a sum")
    print("}")


if __name__ == "__main__":
    print("//! Written by coefficients.py, which says how they come about: do not edit.\n")
    near = mpf("0.75")
    module("single", "f32", single, {"bits": 16, "exp": 5, "LN": 3, "LN_1P": 5, "sin": 3, "cos": 3, "erf": 6,
                                     "near": near, "end": 15, "tail": 4, "pole": mpf("3.3")})
    print()
    module("double", "f64", double, {"bits": 42, "exp": 10, "LN": 8, "LN_1P": 11, "sin": 6, "cos": 6, "erf": 11,
                                     "near": near, "end": 39, "tail": 10, "pole": 5})
