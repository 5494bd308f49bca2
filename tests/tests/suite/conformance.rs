//! The suites on the types of ansatz and on our own.

use ansatz::core::{Error, ForwardLaplacian, Jet, Result, State, TensorLike};
use ansatz_tests::{
    Bound, Lifted, Phase,
    conformance::{check_state, check_tensor_like},
};
use candle_core::{DType, Device, Tensor};

use crate::{flat, normal};

fn of_shape(values: &[f64], dims: &[usize], dtype: DType) -> Tensor {
    Tensor::from_slice(values, dims, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

#[test]
fn plain_states() {
    check_state(1, f64::EPSILON, |v| v[0], |s: &f64| vec![*s]).unwrap();
    check_state(3, f64::EPSILON, |v| [v[0], v[1], v[2]], |s: &[f64; 3]| s.to_vec()).unwrap();
    check_state(3, f64::EPSILON, <[f64]>::to_vec, Vec::clone).unwrap();
    // Longer than the blocks in which vectors are combined.
    check_state(1200, f64::EPSILON, <[f64]>::to_vec, Vec::clone).unwrap();
}

#[test]
fn tensor_states() {
    for (dtype, epsilon) in [(DType::F64, f64::EPSILON), (DType::F32, f64::from(f32::EPSILON))] {
        check_state(6, epsilon, |v| of_shape(v, &[2, 3], dtype), flat).unwrap();
        check_state(1, epsilon, |v| of_shape(v, &[], dtype), flat).unwrap();
        // Not contiguous.
        check_state(
            6,
            epsilon,
            |v| of_shape(v, &[2, 3], dtype).t().unwrap(),
            |t| flat(&t.t().unwrap()),
        )
        .unwrap();
    }
}

#[test]
fn our_states() {
    let split = |v: &[f64]| Phase { q: v[..2].to_vec(), p: v[2..].to_vec() };
    check_state(5, f64::EPSILON, split, |s| [&s.q[..], &s.p[..]].concat()).unwrap();

    let primal = |s: &Lifted<Bound>| flat(&s.0.primal().unwrap());
    let lift = |v: &[f64]| {
        let value = of_shape(v, &[4], DType::F64);
        Lifted(Bound::around(&value, 0.1).unwrap())
    };
    check_state(4, f64::EPSILON, lift, primal).unwrap();

    let lift = |v: &[f64]| {
        let value = of_shape(v, &[4], DType::F64);
        Lifted(Jet::seed(&value, &normal(1, &[2, 4], DType::F64), 2).unwrap())
    };
    check_state(4, f64::EPSILON, lift, |s| flat(&s.0.primal().unwrap())).unwrap();
}

/// A state that forgets the base must not pass.
#[test]
fn the_state_suite_notices_a_fault() {
    #[derive(Clone)]
    struct Forgetful(f64);
    impl State for Forgetful {
        fn combine_iter<'a>(
            &mut self,
            _: Option<&Self>,
            h: f64,
            c: &[f64],
            x: impl Iterator<Item = &'a Self> + Clone,
        ) -> Result<()> {
            self.0.combine_iter(None, h, c, x.map(|x| &x.0))
        }
        fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64> {
            self.0.weighted_rms(&a.0, &b.0, rtol, atol)
        }
        fn all_finite(&self) -> Result<bool> {
            self.0.all_finite()
        }
        fn dimension(&self) -> usize {
            1
        }
        fn check_like(&self, _: &'static str, _: &Self) -> Result<()> {
            Ok(())
        }
    }
    let verdict = check_state(1, f64::EPSILON, |v| Forgetful(v[0]), |s| vec![s.0]);
    assert!(verdict.unwrap_err().starts_with("combine with a base"));
}

/// Sizes that differ are errors, for bases, terms and norms, longer and shorter.
#[test]
fn states_of_different_sizes_do_not_mix() {
    fn refuses<Y: State>(three: &Y, others: &[Y]) {
        for other in others {
            let mut sum = three.clone();
            let terms = std::slice::from_ref(other);
            assert!(matches!(
                sum.combine(Some(three), 1.0, &[1.0], terms),
                Err(Error::Shape { .. } | Error::Ops(_))
            ));
            assert!(three.weighted_rms(other, three, 1.0, 1.0).is_err());
            assert!(three.weighted_rms(three, other, 1.0, 1.0).is_err());
            assert!(three.check_like("a test", other).is_err());
        }
    }
    refuses(&vec![0.0; 3], &[vec![0.0; 2], vec![0.0; 4], vec![]]);
    let zeros = |dims: &[usize], dtype| Tensor::zeros(dims, dtype, &Device::Cpu).unwrap();
    let others = [
        zeros(&[2], DType::F64),
        zeros(&[4], DType::F64),
        zeros(&[1, 3], DType::F64),
        zeros(&[3], DType::F32),
    ];
    refuses(&zeros(&[3], DType::F64), &others);
    let phase = |n: usize, m: usize| Phase { q: vec![0.0; n], p: vec![0.0; m] };
    refuses(&phase(2, 1), &[phase(1, 2), phase(2, 2), phase(3, 1)]);
}

#[test]
fn tensor_like_types() {
    for dtype in [DType::F64, DType::F32] {
        check_tensor_like(dtype, |x| Ok(x.clone())).unwrap();
        for (order, directions) in [(0, 0), (1, 1), (2, 3), (3, 2)] {
            let lift = |x: &Tensor| {
                let dims: Vec<usize> = [&[directions], x.dims()].concat();
                Jet::seed(x, &normal(3, &dims, dtype), order)
            };
            check_tensor_like(dtype, lift)
                .unwrap_or_else(|e| panic!("order {order}, {directions} directions: {e}"));
        }
    }
}

#[test]
fn forward_laplacians() {
    for dtype in [DType::F64, DType::F32] {
        // Coordinates of another tensor, from which all inputs are made linearly.
        let lift = |x: &Tensor| {
            let seed = ForwardLaplacian::seed(&normal(4, &[1, 3], dtype))?;
            let mixed = seed.matmul_constant(&normal(5, &[3, x.elem_count()], dtype))?;
            let mixed = mixed.scale(0.1)?.reshape(x.dims())?;
            mixed.sub(&mixed.constant(&mixed.primal()?)?)?.add_constant(x)
        };
        check_tensor_like(dtype, lift).unwrap();
    }
}

#[test]
fn bounds() {
    for dtype in [DType::F64, DType::F32] {
        check_tensor_like(dtype, |x| Bound::around(x, 0.01)).unwrap();
        check_tensor_like(dtype, |x| Bound::around(x, 0.0)).unwrap();
    }
}
