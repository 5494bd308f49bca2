//! Every registered data set against its file: checksum, arrays, shapes, types, and facts known
//! from elsewhere. A data set whose file is absent is reported as ignored, with the kind
//! `absent, set ANSATZ_DATA`; the summary line counts it.

#![allow(clippy::unwrap_used)] // a panic fails the trial

use ansatz_data::{DataDir, Dataset, Format, Npz, Table, Verdict};
use candle_core::{D, DType, Device, IndexOp, Tensor};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let dir = DataDir::from_env();
    let mut trials = vec![Trial::test("the_data_folder_exists_if_set", {
        let dir = dir.clone();
        move || match dir.folder() {
            Some(folder) if !folder.is_dir() => {
                Err(format!("{} is {}, no folder", DataDir::VARIABLE, folder.display()).into())
            }
            _ => Ok(()),
        }
    })];
    for dataset in Dataset::all() {
        let present = dataset.is_available(&dir);
        let dir = dir.clone();
        trials.push(
            Trial::test(dataset.name, move || check(dataset, &dir))
                .with_ignored_flag(!present)
                .with_kind(if present { "present" } else { "absent, set ANSATZ_DATA" }),
        );
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn check(dataset: &Dataset, dir: &DataDir) -> Result<(), Failed> {
    assert_eq!(dataset.verify(dir)?, Verdict::Ok);
    let file = dataset.open(dir)?;
    match dataset.format {
        Format::Csv => {
            let table = file.table()?;
            assert!(table.names().eq(dataset.arrays.iter().map(|array| array.name)));
            for array in dataset.arrays {
                let column = table.to_tensor(&[array.name], DType::F64, &Device::Cpu)?;
                assert_eq!(column.squeeze(1)?.dims(), array.shape, "{}", array.name);
                assert_eq!(column.dtype(), array.dtype, "{}", array.name);
            }
            table_facts(dataset.name, &table)
        }
        Format::Npz => {
            let arrays = file.arrays()?;
            assert!(arrays.names().eq(dataset.arrays.iter().map(|array| array.name)));
            for array in dataset.arrays {
                let tensor = arrays.get(array.name, &Device::Cpu)?;
                assert_eq!(tensor.dtype(), array.dtype, "{}", array.name);
                assert_eq!(tensor.dims(), array.shape, "{}", array.name);
                assert_eq!(arrays.spec(array.name)?, (array.dtype, array.shape));
                if array.unit == "flag" {
                    assert!(values(&tensor).iter().all(|&x| x == 0.0 || x == 1.0));
                }
            }
            array_facts(dataset, &arrays, dir)
        }
        Format::Json => {
            let text = std::str::from_utf8(file.bytes())?;
            assert_eq!(text.matches("\"embedding_dimension\":").count(), 135);
            assert!(text.contains("\"name\": \"Lorenz\""));
            Ok(())
        }
        other => Err(format!("no check for {other}").into()),
    }
}

/// Facts about the tables that do not come from the registry.
fn table_facts(name: &str, table: &Table) -> Result<(), Failed> {
    let first = |column| table.column(column).map(|values| values[0]);
    match name {
        "lynx_hare" => assert_eq!((first("hare")?, first("lynx")?), (30.0, 4.0)),
        "lynx_hare_1845_1935" => {
            assert_eq!((first("hare")?, first("lynx")?), (19.58, 30.09));
            let in_1900 = table.column("year")?.iter().position(|&year| year == 1900.0);
            assert_eq!(table.column("hare")?[in_1900.unwrap()], 12.82);
        }
        "karate" => {
            let (source, target) = (table.column("source")?, table.column("target")?);
            assert!(source.iter().zip(target).all(|(s, t)| s < t && *t <= 33.0));
            // Zachary 1977, figure 1: the two leaders have 16 and 17 friends.
            let degree = |n: f64| source.iter().chain(target).filter(|&&x| x == n).count();
            assert_eq!((degree(0.0), degree(33.0)), (16, 17));
        }
        _ => return Err("no facts for this table".into()),
    }
    Ok(())
}

/// Facts about the arrays that do not come from the registry.
fn array_facts(dataset: &Dataset, arrays: &Npz, dir: &DataDir) -> Result<(), Failed> {
    let get = |name: &str| arrays.get(name, &Device::Cpu).unwrap();
    let of = |name: &str| values(&get(name));
    let pi = std::f64::consts::PI;
    match dataset.name {
        "darcy_16" => {
            let flagged = positions(&of("y_negative"));
            assert_eq!(flagged, [49, 159, 200, 275, 331, 501, 529, 767, 790, 831, 879, 973]);
            assert_eq!(flagged, negative_samples(&get("y")));
        }
        "darcy_test_16" => {
            assert_eq!(positions(&of("y_negative")), [12]);
            assert_eq!(negative_samples(&get("y")), [12]);
        }
        "darcy_test_32" => {
            if let Ok(coarse) = Dataset::find("darcy_test_16")?.open(dir) {
                let even = Tensor::arange_step(0u32, 32, 2, &Device::Cpu)?;
                let strided = get("y").index_select(&even, 1)?.index_select(&even, 2)?;
                assert_eq!(values(&strided), values(&coarse.arrays()?.get("y", &Device::Cpu)?));
            }
        }
        "burgers_16" => {
            assert_eq!(of("visc"), [0.01]);
            assert_eq!(values(&get("output").i((.., 0))?), of("input"));
            near(&of("x"), |j| j as f64 / 16.0, 1e-15);
            near(&of("t"), |i| 0.06 * i as f64, 1e-15);
        }
        "raissi_burgers" => {
            near(&of("nu"), |_| 0.01 / pi, 1e-15);
            let x = of("x");
            near(&values(&get("u").i(0)?), |i| -(pi * x[i]).sin(), 1e-12);
        }
        "raissi_allen_cahn" => {
            assert_eq!(of("d"), [0.001]);
            let x = of("x");
            near(&values(&get("u").i(0)?), |i| x[i].powi(2) * (pi * x[i]).cos(), 1e-12);
        }
        "cora" => {
            graph_facts(arrays, 1433, &[351, 217, 418, 818, 426, 298, 180]);
            assert_eq!(masks(arrays), [140.0, 500.0, 1000.0]);
        }
        "citeseer" => {
            graph_facts(arrays, 3703, &[264, 590, 668, 701, 596, 508]);
            assert_eq!(masks(arrays), [120.0, 500.0, 1000.0]);
            assert_eq!(of("has_label").iter().sum::<f64>(), 3327.0 - 15.0);
        }
        "texas" | "cornell" => graph_facts(arrays, 1703, &[33, 1, 18, 101, 30]),
        "wisconsin" => graph_facts(arrays, 1703, &[10, 70, 118, 32, 21]),
        "cornell_2022" => graph_facts(arrays, 1703, &[38, 16, 30, 82, 17]),
        "actor" => graph_facts(arrays, 932, &[853, 1337, 1630, 1815, 1965]),
        "msci_pca50" => {
            for day in ["day2", "day3", "day4", "day7"] {
                assert!(of(day).iter().all(|x| x.is_finite()));
            }
        }
        "sbirr_lv" => {
            near(&of("times"), |i| i as f64, 1e-15);
            assert_eq!(offsets_end(&of("offsets")), 450.0);
        }
        "sbirr_repressilator" => {
            near(&of("times"), |i| 0.75 * i as f64, 1e-15);
            assert_eq!(offsets_end(&of("offsets")), 550.0);
        }
        "sbirr_hesc" => {
            assert_eq!(of("times"), [0.0, 0.5, 1.0, 1.5, 3.0]);
            let sizes: Vec<_> = of("offsets").windows(2).map(|o| o[1] - o[0]).collect();
            assert_eq!(sizes, [92.0, 102.0, 66.0, 172.0, 138.0]);
        }
        "pbmc68k_reduced" => {
            let names = get("phase_names").to_vec2::<u8>()?;
            assert_eq!(names, [*b"G1\0", *b"G2M", *b"S\0\0"]);
            assert_eq!(maximum(&of("bulk_label")), 9.0);
            assert_eq!(maximum(&of("louvain")), 10.0);
        }
        "digits" => {
            assert_eq!(maximum(&of("images")), 16.0);
            assert_eq!(maximum(&of("y")), 9.0);
        }
        "mnist5k" => {
            assert_eq!(maximum(&of("images")), 255.0);
            near(&of("y"), |i| (i / 500) as f64, 0.0);
        }
        "qm9_10k" => {
            assert_eq!(offsets_end(&of("offsets")), 157423.0);
            assert!(of("z").iter().all(|z| [1.0, 6.0, 7.0, 8.0, 9.0].contains(z)));
            assert_eq!(of("z")[..5], [6.0, 1.0, 1.0, 1.0, 1.0]); // methane comes first
            let (homo, lumo) = (of("homo"), of("lumo"));
            near(&of("gap"), |i| lumo[i] - homo[i], 1.001e-4);
        }
        _ => return Err("no facts for this data set".into()),
    }
    Ok(())
}

/// Undirected, sorted, loop-free edges; features within their shape; nodes per class.
fn graph_facts(arrays: &Npz, features: usize, classes: &[usize]) {
    let of = |name: &str| values(&arrays.get(name, &Device::Cpu).unwrap());
    let nodes: usize = classes.iter().sum();
    // Citeseer's unlabelled nodes carry class 0 by convention; the published count includes them.
    let y = of("y");
    for (class, &count) in classes.iter().enumerate() {
        assert_eq!(y.iter().filter(|&&label| label == class as f64).count(), count, "{class}");
    }
    assert_eq!(of("feat_shape"), [nodes as f64, features as f64]);
    assert!(maximum(&of("feat_row")) < nodes as f64);
    assert!(maximum(&of("feat_col")) < features as f64);
    assert!(of("feat_val").iter().all(|&x| x == 1.0));

    let edges = of("edge_index");
    let (source, target) = edges.split_at(edges.len() / 2);
    let pairs: Vec<_> =
        source.iter().zip(target).map(|(&s, &t)| (s as usize, t as usize)).collect();
    assert!(pairs.windows(2).all(|pair| pair[0] < pair[1]), "sorted, without duplicates");
    assert!(pairs.iter().all(|&(s, t)| s != t && s < nodes && t < nodes));
    assert!(pairs.iter().all(|&(s, t)| pairs.binary_search(&(t, s)).is_ok()), "both directions");
}

fn masks(arrays: &Npz) -> [f64; 3] {
    ["train_mask", "val_mask", "test_mask"]
        .map(|name| values(&arrays.get(name, &Device::Cpu).unwrap()).iter().sum())
}

/// All elements as f64.
fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

fn maximum(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn positions(flags: &[f64]) -> Vec<usize> {
    (0..flags.len()).filter(|&i| flags[i] == 1.0).collect()
}

/// Samples of `[sample, row, column]` with a negative value.
fn negative_samples(y: &Tensor) -> Vec<usize> {
    let minima = values(&y.flatten_from(1).unwrap().min(D::Minus1).unwrap());
    (0..minima.len()).filter(|&i| minima[i] < 0.0).collect()
}

/// The last offset, after checking that they start at 0 and do not fall.
fn offsets_end(offsets: &[f64]) -> f64 {
    assert_eq!(offsets[0], 0.0);
    assert!(offsets.is_sorted());
    offsets[offsets.len() - 1]
}

fn near(values: &[f64], expected: impl Fn(usize) -> f64, tolerance: f64) {
    for (i, &value) in values.iter().enumerate() {
        let expected = expected(i);
        assert!((value - expected).abs() <= tolerance, "[{i}]: {value} and {expected}");
    }
}
