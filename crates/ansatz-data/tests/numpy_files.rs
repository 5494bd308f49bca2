//! Files written by NumPy 2.4 itself: every supported type, and each unsupported kind.

use ansatz_data::{Error, Npz, Result};
use candle_core::{DType, Device};

macro_rules! fixture {
    ($name:literal) => {
        Npz::from_bytes(include_bytes!(concat!("fixtures/", $name, ".npz")).to_vec())
    };
}

#[test]
fn every_type_is_kept() -> Result<()> {
    let npz = fixture!("numpy")?;
    let names: Vec<_> = npz.names().collect();
    assert_eq!(names, ["f32", "f64", "i64", "i32", "i16", "u8", "u32", "flags", "scalar", "none"]);
    let cpu = &Device::Cpu;
    let get = |name| npz.get(name, cpu);
    assert_eq!(get("f32")?.to_vec2::<f32>()?, [[1.5, -2.25, 0.0], [3.0, 1e-3, 4.0]]);
    assert_eq!(get("f64")?.to_vec1::<f64>()?, [0.1, -1e300]);
    assert_eq!(get("i64")?.to_vec1::<i64>()?, [-5, 1 << 53]);
    assert_eq!(get("i32")?.to_vec1::<i32>()?, [-7]);
    assert_eq!(get("i16")?.to_vec1::<i16>()?, [-300, 300]);
    assert_eq!(get("u8")?.to_vec1::<u8>()?, [0, 255]);
    assert_eq!(get("u32")?.to_vec1::<u32>()?, [u32::MAX]);
    assert_eq!(get("flags")?.to_vec1::<u8>()?, [1, 0, 1]);
    assert_eq!(get("scalar")?.to_scalar::<f64>()?, 2.5);
    assert_eq!(npz.spec("none")?, (DType::F32, &[0, 3][..]));
    assert_eq!(get("none")?.dims(), [0, 3]);
    Ok(())
}

#[test]
fn a_missing_array_names_those_there_are() -> Result<()> {
    let npz = fixture!("numpy")?;
    let Err(Error::Missing { what: "array", available, .. }) = npz.get("F32", &Device::Cpu) else {
        panic!()
    };
    assert!(available.starts_with("f32, f64"));
    Ok(())
}

#[test]
fn unsupported_kinds_are_told_apart() {
    assert!(matches!(fixture!("compressed"), Err(Error::Compressed { method: 8, .. })));
    assert!(matches!(fixture!("fortran"), Err(Error::FortranOrder { .. })));
    let descr = |npz: Result<Npz>| match npz {
        Err(Error::UnsupportedType { array, descr }) if array == "x" => descr,
        other => panic!("{other:?}"),
    };
    assert_eq!(descr(fixture!("object")), "'|O'");
    assert_eq!(descr(fixture!("complex")), "'<c16'");
    assert_eq!(descr(fixture!("big_endian")), "'>f8'");
    assert!(descr(fixture!("structured")).starts_with("[('a', '<i4')"));
}

#[test]
fn candle_s_own_archives_are_read() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("candle.npz");
    let x = candle_core::Tensor::arange(0f32, 6.0, &Device::Cpu)?.reshape((1, 2, 3))?;
    candle_core::Tensor::write_npz(&[("x", &x)], &path)?;
    let back = Npz::open(&path)?.get("x", &Device::Cpu)?;
    assert_eq!(back.to_vec3::<f32>()?, x.to_vec3::<f32>()?);
    assert!(matches!(Npz::open(folder.path().join("no.npz")), Err(Error::Io { .. })));
    Ok(())
}
