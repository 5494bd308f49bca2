//! Convolutions, pooling and interpolation against numbers that PyTorch 2.15 computed in f64.
//!
//! Inputs are `sin(0.7 i + phase)`. Of each result: its shape, its inner product with
//! `sin(1 + 0.3 i)`, its first and last element, and the inner product of the gradient of that
//! product in each input with the same weights.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ops::{
    Conv, Padding, Pool, Result, adaptive_avg_pool, avg_pool, conv, conv_transpose, max_pool,
    upsample_linear, upsample_nearest,
};
use candle_core::{Device, Tensor, Var};

type Row = (&'static str, &'static [usize], [f64; 3], &'static [f64]);

#[rustfmt::skip]
const TORCH: &[Row] = &[
    ("conv1 circular", &[2, 6, 5], [-0.8421736282366967, -0.2223517343671675, 1.3812042579402375], &[-18.801176907278794, 0.39118380807556574, -0.7225732516224346]),
    ("conv2 circular", &[2, 4, 4, 3], [-0.6972294120457008, 1.3972032921551696, -4.874188315909335], &[-3.4156976071135894, -0.1740004575809544, 2.7408076448399283]),
    ("conv3 circular", &[2, 3, 4, 3, 6], [0.16304734948441268, 0.7740622625399538, -2.825819765182251], &[-29.629469232502974, -11.5210154325694, 2.1212688007445215]),
    ("conv1 reflect", &[2, 6, 5], [1.9099411159716024, 2.000042953273996, 1.3812042579402375], &[-23.61458414259189, 7.251285846764989, -0.7225732516224346]),
    ("conv2 reflect", &[2, 4, 4, 3], [-10.588793522566437, 3.7106092080813173, -2.608404463885952], &[-5.452542537195907, 11.328586860682922, 2.7408076448399283]),
    ("conv3 reflect", &[2, 3, 4, 3, 6], [4.2489314742787805, -1.9449680202905049, -2.426286810218069], &[11.163626154972517, -2.569797307980883, 2.1212688007445215]),
    ("conv1 replicate", &[2, 6, 5], [0.5941136951889826, 0.8832727481381578, 1.3812042579402375], &[-22.756522467952024, 3.9144284387496655, -0.7225732516224346]),
    ("conv2 replicate", &[2, 4, 4, 3], [-16.213671570395356, 2.6580886606985046, -3.2820901463663046], &[-3.904728135571622, -0.6976689825401801, 2.7408076448399283]),
    ("conv3 replicate", &[2, 3, 4, 3, 6], [-7.65138000220128, 0.9138542153484773, -3.684460733463884], &[-51.1493139199333, -4.529568753465916, 2.1212688007445215]),
    ("conv1 zeros", &[2, 6, 5], [0.5051456991388785, 0.8928613327068061, 1.3812042579402375], &[-18.62520122926145, 3.65865545640899, -0.7225732516224346]),
    ("conv2 zeros", &[2, 4, 4, 3], [-6.479154444747764, 2.976522846086932, -3.6675502888103426], &[-2.3021016276339736, 3.3162979870950267, 2.7408076448399283]),
    ("conv3 zeros", &[2, 3, 4, 3, 6], [-4.207454240715877, 0.6900471355151708, -1.9963852049221074], &[-15.87586857399263, -3.6575796321618292, 2.1212688007445215]),
    ("tr1", &[2, 6, 14], [2.717585676318454, 0.5622471477337889, -0.7055403255703919], &[2.0748010931523293, -3.0011788839863924, 2.119218297592309]),
    ("tr2", &[2, 2, 8, 10], [66.96349004206898, 1.6580765073532397, 0.8940944400554298], &[-6.14616914031868, -26.105712357495996, 4.6148055398402406]),
    ("tr3", &[1, 2, 5, 3, 6], [14.773684449843344, 0.959963192670402, 0.4273798802338298], &[1.211143615895744, -6.719842184929362, 1.8970160209260363]),
    ("max1", &[2, 3, 4], [2.1846842577084926, 0.644217687237691, 0.9962419287548636], &[2.490699112797103]),
    ("max2", &[2, 3, 4, 3], [5.133646440614439, 0.644217687237691, 0.9601660751415484], &[0.808747627697648]),
    ("max3", &[1, 2, 4, 5, 4], [16.986209720012994, 0.0, -0.5358232317335209], &[10.458695175594263]),
    ("avg2", &[2, 3, 4, 3], [1.3515449965222206, -0.13442341086669213, 0.031833170100641], &[0.3539631717659889]),
    ("avg2x", &[2, 3, 4, 3], [2.282813531409098, -0.3024526744500573, 0.047749755150961505], &[0.7412323304112223]),
    ("avg3", &[1, 2, 2, 2, 3], [-0.03085732669669866, 0.08440879160515903, -0.13584175613725827], &[-0.4120784232129091]),
    ("near1", &[2, 3, 7], [7.477734330918765, 0.0, -0.38207141718400583], &[-2.5298429692535906]),
    ("near2", &[2, 3, 8, 3], [1.6758701577299844, 0.0, -0.9048234586781954], &[63.24743301674855]),
    ("lin1 False", &[2, 3, 11], [-17.78236644160071, 0.0, -0.38207141718400583], &[1.8755714346493373]),
    ("lin2 False", &[2, 3, 9, 4], [-0.6309793560688473, 0.16105442180942275, -0.5395166267683291], &[2.5115352307615675]),
    ("lin3 False", &[1, 2, 5, 6, 1], [0.3343158446234358, 0.8148337086130756, -0.9384349755779144], &[-4.372756940271744]),
    ("lin1 True", &[2, 3, 11], [-15.125432301837913, 0.0, -0.38207141718400583], &[2.021930877977395]),
    ("lin2 True", &[2, 3, 9, 4], [1.2851345181954827, 0.0, -0.4177476827983737], &[1.2354802519731107]),
    ("lin3 True", &[1, 2, 5, 6, 1], [0.19801928611577857, 0.0, -0.45832545449175954], &[-0.3409784459200995]),
    ("adapt", &[2, 3, 3, 4], [0.03905238850398249, -0.006018904560432609, 0.006085543073093312], &[0.25475851898241064]),
];

fn ramp(dims: &[usize], phase: f64) -> Tensor {
    let n = dims.iter().product::<usize>();
    let values: Vec<f64> = (0..n).map(|i| (0.7 * i as f64 + phase).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn weighted(x: &Tensor) -> Tensor {
    let weights: Vec<f64> = (0..x.elem_count()).map(|i| (1.0 + 0.3 * i as f64).sin()).collect();
    let weights = Tensor::from_vec(weights, x.shape(), x.device()).unwrap();
    (x * weights).unwrap().sum_all().unwrap()
}

/// The shapes of the inputs, and the call, by the name of the row.
fn case(name: &str) -> (Vec<Vec<usize>>, Box<dyn Fn(&[Tensor]) -> Result<Tensor>>) {
    let mode = match name.split(' ').nth(1) {
        Some("circular") => Padding::Circular,
        Some("reflect") => Padding::Reflect,
        Some("replicate") => Padding::Replicate,
        _ => Padding::Zeros,
    };
    let corners = name.ends_with("True");
    let of = |shapes: &[&[usize]]| shapes.iter().map(|s| s.to_vec()).collect::<Vec<_>>();
    match name.split(' ').next().unwrap() {
        "conv1" => (
            of(&[&[2, 4, 9], &[6, 2, 3], &[6]]),
            Box::new(move |v| {
                let options = Conv::<1> {
                    padding: [(2, 1)],
                    ..Conv::default().padded(0, mode).with_stride(2).with_groups(2)
                };
                conv(&v[0], &v[1], Some(&v[2]), &options)
            }),
        ),
        "conv2" => (
            of(&[&[2, 3, 7, 8], &[4, 3, 3, 2], &[4]]),
            Box::new(move |v| {
                let options = Conv::<2> {
                    stride: [2, 3],
                    dilation: [1, 2],
                    padding: [(1, 2), (2, 1)],
                    mode: [mode; 2],
                    groups: 1,
                };
                conv(&v[0], &v[1], Some(&v[2]), &options)
            }),
        ),
        "conv3" => (
            of(&[&[2, 2, 4, 5, 6], &[3, 2, 2, 3, 3], &[3]]),
            Box::new(move |v| {
                let options = Conv::<3> {
                    stride: [1, 2, 1],
                    padding: [(0, 1), (2, 0), (1, 1)],
                    mode: [mode; 3],
                    ..Conv::default()
                };
                conv(&v[0], &v[1], Some(&v[2]), &options)
            }),
        ),
        "tr1" => (
            of(&[&[2, 4, 5], &[4, 3, 3], &[6]]),
            Box::new(|v| {
                let options = Conv::<1>::default().with_stride(3).with_dilation(2).with_groups(2);
                conv_transpose(&v[0], &v[1], Some(&v[2]), &options.padded(2, Padding::Zeros), [1])
            }),
        ),
        "tr2" => (
            of(&[&[2, 3, 4, 5], &[3, 2, 4, 4], &[2]]),
            Box::new(|v| {
                let options = Conv::<2>::default().with_stride(2).padded(1, Padding::Zeros);
                conv_transpose(&v[0], &v[1], Some(&v[2]), &options, [0, 0])
            }),
        ),
        "tr3" => (
            of(&[&[1, 2, 2, 3, 2], &[2, 2, 2, 3, 3], &[2]]),
            Box::new(|v| {
                let options = Conv::<3> {
                    stride: [2, 1, 3],
                    padding: [(0, 0), (1, 1), (1, 1)],
                    ..Conv::default()
                };
                conv_transpose(&v[0], &v[1], Some(&v[2]), &options, [1, 0, 2])
            }),
        ),
        "max1" => (
            of(&[&[2, 3, 8]]),
            Box::new(|v| max_pool(&v[0], &Pool::<1>::new(3).with_stride(2).padded(1))),
        ),
        "max2" => (
            of(&[&[2, 3, 7, 6]]),
            Box::new(|v| {
                max_pool(&v[0], &Pool::<2> { kernel: [3, 2], stride: [2, 2], padding: [1, 0] })
            }),
        ),
        "max3" => (
            of(&[&[1, 2, 3, 4, 3]]),
            Box::new(|v| max_pool(&v[0], &Pool::<3>::new(2).with_stride(1).padded(1))),
        ),
        name @ ("avg2" | "avg2x") => {
            let count = name == "avg2";
            (
                of(&[&[2, 3, 7, 6]]),
                Box::new(move |v| {
                    avg_pool(&v[0], &Pool::<2>::new(3).with_stride(2).padded(1), count)
                }),
            )
        }
        "avg3" => {
            (of(&[&[1, 2, 4, 5, 6]]), Box::new(|v| avg_pool(&v[0], &Pool::<3>::new(2), true)))
        }
        "near1" => (of(&[&[2, 3, 4]]), Box::new(|v| upsample_nearest(&v[0], [7]))),
        "near2" => (of(&[&[2, 3, 4, 6]]), Box::new(|v| upsample_nearest(&v[0], [8, 3]))),
        "lin1" => (of(&[&[2, 3, 4]]), Box::new(move |v| upsample_linear(&v[0], [11], corners))),
        "lin2" => {
            (of(&[&[2, 3, 4, 6]]), Box::new(move |v| upsample_linear(&v[0], [9, 4], corners)))
        }
        "lin3" => {
            (of(&[&[1, 2, 3, 3, 4]]), Box::new(move |v| upsample_linear(&v[0], [5, 6, 1], corners)))
        }
        "adapt" => (of(&[&[2, 3, 7, 6]]), Box::new(|v| adaptive_avg_pool(&v[0], [3, 4]))),
        other => panic!("no case {other}"),
    }
}

#[test]
fn values_and_gradients_equal_pytorch() {
    let close = |what: &str, got: f64, want: f64| {
        assert!((got - want).abs() < 1e-11 * (1.0 + want.abs()), "{what}: {got} for {want}");
    };
    for (name, shape, [product, first, last], gradients) in TORCH {
        let (shapes, call) = case(name);
        let vars: Vec<Var> = (0..shapes.len())
            .map(|i| Var::from_tensor(&ramp(&shapes[i], i as f64)).unwrap())
            .collect();
        let inputs: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
        let y = call(&inputs).unwrap();
        assert_eq!(y.dims(), *shape, "{name}");
        let values = y.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        close(name, values[0], *first);
        close(name, values[values.len() - 1], *last);
        let root = weighted(&y);
        close(name, root.to_scalar().unwrap(), *product);
        let store = root.backward().unwrap();
        assert_eq!(vars.len(), gradients.len());
        for (var, want) in vars.iter().zip(*gradients) {
            close(name, weighted(store.get(var).unwrap()).to_scalar().unwrap(), *want);
        }
        // The same in single precision.
        let single: Vec<Tensor> =
            inputs.iter().map(|x| x.to_dtype(candle_core::DType::F32).unwrap()).collect();
        let single = call(&single).unwrap().to_dtype(candle_core::DType::F64).unwrap();
        let error = (single - y).unwrap().abs().unwrap().max_all().unwrap();
        assert!(error.to_scalar::<f64>().unwrap() < 1e-5, "{name} in f32");
    }
}
