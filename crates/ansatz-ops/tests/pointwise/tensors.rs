//! Shapes, strides, threads, errors.

use ansatz_ops::candle::{DType, Device, Tensor, Var};
use ansatz_ops::{Error, Pointwise, pointwise};

use crate::ALL;

fn wave(n: usize) -> Tensor {
    let values: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin() * 4.0).collect();
    Tensor::from_vec(values, n, &Device::Cpu).unwrap()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    // Above the size at which threads are used, and no multiple of anything.
    let x = wave(100_003);
    for function in [Pointwise::Tanh, Pointwise::Sin, Pointwise::Gelu] {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let x = Var::from_tensor(&x).unwrap();
                let y = pointwise(function, &x).unwrap();
                let g = y.sum_all().unwrap().backward().unwrap().get(&x).unwrap().clone();
                (y.to_vec1::<f32>().unwrap(), g.to_vec1::<f32>().unwrap())
            })
        };
        let one = on(1);
        assert!(one == on(2) && one == on(3), "{function:?}");
    }
}

/// Elements at the end of a slice, where the vectors do not fit, have the bits of the others.
#[test]
fn the_place_in_the_slice_does_not_matter() {
    let x = wave(301);
    for function in ALL {
        let all = pointwise(function, &x).unwrap().to_vec1::<f32>().unwrap();
        for (start, n) in [(0, 1), (5, 0), (7, 17), (63, 200), (299, 2)] {
            let part = pointwise(function, &x.narrow(0, start, n).unwrap()).unwrap();
            let part = part.to_vec1::<f32>().unwrap();
            let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            // ln and sqrt of negative numbers: NaN of any sign.
            let bits = |v: &[f32]| bits(&v.iter().map(|x| x.max(-1e30)).collect::<Vec<_>>());
            assert_eq!(bits(&part), bits(&all[start..start + n]), "{function:?}");
        }
    }
}

#[test]
fn strided_inputs_and_their_gradients() {
    let x = Var::from_tensor(&wave(24).reshape((4, 6)).unwrap()).unwrap();
    for function in [Pointwise::Tanh, Pointwise::Gelu] {
        let run = |x: &Tensor| {
            let y = pointwise(function, x).unwrap();
            (&y * &y).unwrap().sum_all().unwrap()
        };
        let view = x.t().unwrap().narrow(0, 1, 4).unwrap();
        let strided = run(&view).backward().unwrap().get(&x).unwrap().clone();
        let copied =
            run(&view.force_contiguous().unwrap()).backward().unwrap().get(&x).unwrap().clone();
        assert_eq!(strided.to_vec2::<f32>().unwrap(), copied.to_vec2::<f32>().unwrap());
        let y = pointwise(function, &view).unwrap();
        assert_eq!(y.dims(), [4, 4]);
        let single = pointwise(function, &x).unwrap().t().unwrap().narrow(0, 1, 4).unwrap();
        assert_eq!(y.to_vec2::<f32>().unwrap(), single.to_vec2::<f32>().unwrap());
    }
}

#[test]
fn scalars_and_empty_tensors() {
    let scalar = Tensor::new(0.5f64, &Device::Cpu).unwrap();
    let y = pointwise(Pointwise::Tanh, &scalar).unwrap();
    assert!(y.dims().is_empty() && (y.to_scalar::<f64>().unwrap() - 0.5f64.tanh()).abs() < 1e-15);
    let empty = Tensor::zeros((0, 3), DType::F32, &Device::Cpu).unwrap();
    for function in ALL {
        assert_eq!(pointwise(function, &empty).unwrap().dims(), [0, 3]);
    }
}

#[test]
fn integers_are_refused() {
    let x = Tensor::new(&[1u32, 2], &Device::Cpu).unwrap();
    assert!(matches!(pointwise(Pointwise::Tanh, &x), Err(Error::DType { .. })));
}

/// A constant stays a constant.
#[test]
fn nothing_is_tracked_without_need() {
    assert!(!pointwise(Pointwise::Sin, &wave(3)).unwrap().track_op());
}
