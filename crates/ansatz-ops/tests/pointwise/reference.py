"""Writes the reference values of the pointwise functions: python reference.py reference.txt (needs mpmath)."""
import random
import sys

import mpmath as m
m.mp.dps=60
from mpmath import mpf
def Phi(x): return m.erfc(-x/m.sqrt(2))/2
A=2*m.sqrt(2/m.pi)
def sig(x): return 1/(1+m.exp(-x))
F={'tanh':m.tanh,'sin':m.sin,'cos':m.cos,'exp':m.exp,'ln':m.log,'sigmoid':sig,'softplus':lambda x:m.log1p(m.exp(x)) if x<50 else x+m.log1p(m.exp(-x)),
 'silu':lambda x:x*sig(x),'gelu':lambda x:x*Phi(x),'gelu_tanh':lambda x:x*sig(A*(x+mpf('0.044715')*x**3)),'erf':m.erf}
random.seed(7)
def args(name):
    xs=[]
    # moderate
    n=110
    R={'tanh':25,'sin':60,'cos':60,'exp':40,'ln':None,'sigmoid':45,'softplus':45,'silu':45,'gelu':9,'gelu_tanh':8,'erf':7}[name]
    if name=='ln':
        xs+=[random.uniform(0.3,3) for _ in range(60)]
        xs+=[1+s*10**random.uniform(-15,-1) for s in (1,-1) for _ in range(25)]
        xs+=[10**random.uniform(-323,308) for _ in range(100)]+[5e-324,2.2e-308,1.7976931348623157e308, 0.7071067811865475,0.7071067811865476,1.4142135623730951]
        return xs
    xs+=[random.uniform(-R,R) for _ in range(n)]
    xs+=[s*10**random.uniform(-20,0.5) for s in (1,-1) for _ in range(20)]
    lo={'exp':-745.1,'sigmoid':-745.1,'softplus':-745.1,'silu':-751.0,'gelu':-38.55,'gelu_tanh':-21.55}.get(name)
    if lo:
        xs+=[random.uniform(lo,lo*0.2) for _ in range(40)]
        xs+=[lo*(1-k*1e-3) for k in range(40)]
        xs+=[random.uniform(0, {'exp':709.7}.get(name,-lo)) for _ in range(20)]
    if name in('sin','cos'):
        xs+=[s*10**random.uniform(1,9) for s in (1,-1) for _ in range(20)]
        xs+=[10**random.uniform(9,308) for _ in range(20)]
        xs+=[float(m.pi/2*k) for k in (1,2,3,4,5,7,11,22,355,710,1e5,12345678,636619772)]
        xs+=[6381956970095103.0*2.0**797]
    if name in ('tanh','erf'):
        xs+=[random.choice((1,-1))*10**random.uniform(-320,-1) for _ in range(40)]
        xs+=[s*v for s in (1,-1) for v in (0.74999999,0.75,0.7500001,19.0,19.1,5.9,5.92,6,100,1e300)]
    return xs
out=[]
out.append('# Written by tests/pointwise/reference.py (mpmath, 60 digits), rounded to f64: function, argument, value.\n')
for name,f in F.items():
    xs=args(name); assert len(xs)>=200,(name,len(xs))
    for x in xs:
        if name in('sin','cos'): m.mp.dps=400 if abs(x)>1e9 else 80
        y=f(mpf(x)); m.mp.dps=60
        out.append(f'{name} {x!r} {m.nstr(y,20)}\n')
open(sys.argv[1],'w').writelines(out); print(len(out))
