//! How segments and edges are made.

use ansatz_ops::{Edges, Error, Segments};
use candle_core::{DType, Device, Tensor};

use super::{COUNT, IDS, sorted, unsorted};

#[test]
fn unsorted_ids_are_sorted_stably() {
    let segments = unsorted();
    assert_eq!((segments.rows(), segments.count()), (12, COUNT));
    assert_eq!(segments.ids(), IDS);
    assert_eq!(segments.offsets(), [0, 5, 6, 8, 8, 9, 10, 12]);
    assert_eq!(segments.order().unwrap(), [1, 3, 5, 8, 10, 7, 2, 9, 6, 0, 4, 11]);
    assert!(sorted().order().is_none());
    assert_eq!(sorted().offsets(), segments.offsets());
    let sizes = segments.sizes(DType::F32, &Device::Cpu).unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(sizes, [5.0, 1.0, 2.0, 0.0, 1.0, 1.0, 2.0]);
}

#[test]
fn every_index_type_gives_the_same() {
    let ids = Tensor::new(&IDS, &Device::Cpu).unwrap();
    for dtype in [DType::U8, DType::I64] {
        let other = Segments::new(&ids.to_dtype(dtype).unwrap(), COUNT).unwrap();
        assert_eq!(other.order(), unsorted().order());
    }
    // Strided ids.
    let pairs = Tensor::stack(&[&ids, &ids], 1).unwrap();
    let column = pairs.narrow(1, 1, 1).unwrap().squeeze(1).unwrap();
    assert_eq!(Segments::new(&column, COUNT).unwrap().ids(), IDS);
    let error = Segments::new(&ids.to_dtype(DType::F32).unwrap(), COUNT).unwrap_err();
    assert!(matches!(error, Error::DType { .. }), "{error:?}");
    assert!(matches!(Segments::new(&pairs, COUNT), Err(Error::Candle(_))));
}

#[test]
fn offsets_give_the_same_as_sorted_ids() {
    let limits = [0, 5, 6, 8, 8, 9, 10, 12];
    let segments = Segments::from_offsets(&limits).unwrap();
    assert_eq!(segments.ids(), sorted().ids());
    assert_eq!(segments.offsets(), sorted().offsets());
    let empty = Segments::from_offsets(&[0]).unwrap();
    assert_eq!((empty.rows(), empty.count()), (0, 0));
    for bad in [&[][..], &[1, 2], &[0, 3, 2], &[0, 9, 2, 4], &[0, u32::MAX as usize]] {
        let error = Segments::from_offsets(bad).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{bad:?}: {error:?}");
    }
}

#[test]
fn ids_out_of_range_are_errors() {
    let cpu = &Device::Cpu;
    for bad in [
        Tensor::new(&[0u32, 7], cpu).unwrap(),
        Tensor::new(&[u32::MAX, 0], cpu).unwrap(),
        Tensor::new(&[0i64, -1], cpu).unwrap(),
        Tensor::new(&[i64::MAX], cpu).unwrap(),
        Tensor::new(&[1i64 << 32], cpu).unwrap(),
        Tensor::new(&[255u8], cpu).unwrap(),
    ] {
        let error = Segments::new(&bad, COUNT).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{bad}: {error:?}");
        let good = bad.zeros_like().unwrap();
        assert!(Edges::new(&good, &bad, 7, 7).is_err());
        assert!(Edges::new(&bad, &good, 7, 7).is_err());
    }
    let ids = Tensor::new(&[255u8], cpu).unwrap();
    assert_eq!(Segments::new(&ids, 300).unwrap().ids(), [255]); // not a mark here
    assert!(Segments::new(&ids, 1 << 33).is_err());
}

#[test]
fn edges_hold_both_orders() {
    let cpu = &Device::Cpu;
    let (from, to) = (Tensor::new(&[2u32, 0, 2, 1], cpu), Tensor::new(&[0u32, 1, 1, 0], cpu));
    let edges = Edges::new(&from.unwrap(), &to.unwrap(), 4, 2).unwrap();
    assert_eq!((edges.len(), edges.is_empty()), (4, false));
    assert_eq!(edges.by_target().order().unwrap(), [0, 3, 1, 2]);
    assert_eq!(edges.by_source().order().unwrap(), [1, 3, 0, 2]);
    assert_eq!(edges.by_source().count(), 4);
    assert_eq!(edges.reversed().by_target().ids(), edges.by_source().ids());
    let (two, three) = (Tensor::new(&[0u32, 0], cpu), Tensor::new(&[0u32, 0, 0], cpu));
    let error = Edges::new(&two.unwrap(), &three.unwrap(), 1, 1).unwrap_err();
    assert!(matches!(error, Error::Count { expected: 2, got: 3, .. }), "{error:?}");
}
