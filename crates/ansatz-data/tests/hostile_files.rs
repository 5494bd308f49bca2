//! Truncated, corrupted and malicious files: an error each, never a panic, never a large
//! allocation.

#![allow(clippy::unwrap_used)]

use ansatz_data::{Error, Npz, Table};
use candle_core::Device;
use proptest::prelude::*;

const NUMPY: &[u8] = include_bytes!("fixtures/numpy.npz");
const CSV: &[u8] = include_bytes!("../data/lynx_hare.csv");

/// Reads everything there is to read.
fn read_all(bytes: &[u8]) -> Result<(), Error> {
    let npz = Npz::from_bytes(bytes.to_vec())?;
    for name in npz.names() {
        npz.get(name, &Device::Cpu)?;
    }
    Ok(())
}

#[test]
fn a_cut_archive_is_an_error_wherever_it_is_cut() {
    read_all(NUMPY).unwrap();
    for len in 0..NUMPY.len() {
        assert!(matches!(read_all(&NUMPY[..len]), Err(Error::Archive { .. })), "at {len}");
    }
}

#[test]
fn a_cut_table_is_an_error_unless_cut_between_rows() {
    let header_len = b"year,hare,lynx\n".len();
    for len in 0..CSV.len() {
        let table = Table::from_bytes(&CSV[..len]);
        let between_rows = len > header_len && CSV[len - 1] == b'\n';
        assert_eq!(table.is_ok(), between_rows, "at {len}: {table:?}");
    }
}

#[test]
fn no_changed_data_byte_goes_unnoticed() {
    // The data of the array f64, 0.1 and -1e300, as they lie in the file.
    let data: Vec<u8> = [0.1f64, -1e300].iter().flat_map(|x| x.to_le_bytes()).collect();
    let at = NUMPY.windows(16).position(|window| window == data).unwrap();
    for i in at..at + 16 {
        for bit in 0..8 {
            let mut bytes = NUMPY.to_vec();
            bytes[i] ^= 1 << bit;
            let Err(Error::Crc { array }) = read_all(&bytes) else { panic!("byte {i}") };
            assert_eq!(array, "f64.npy");
        }
    }
}

/// CRC-32 by its definition, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// A well-formed archive of the given files. `size` and `offset` lie about the first one.
fn archive(files: &[(&str, &[u8])], size: Option<u32>, offset: Option<u32>) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (i, &(name, data)) in files.iter().enumerate() {
        let lie = |lie: Option<u32>, truth: u32| lie.filter(|_| i == 0).unwrap_or(truth);
        let offset = lie(offset, out.len() as u32).to_le_bytes();
        let size = lie(size, data.len() as u32).to_le_bytes();
        let name_len = (name.len() as u16).to_le_bytes();
        let crc = crc32(data).to_le_bytes();
        let common = [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0], &crc[..], &size, &size, &name_len, &[0; 2]];
        let common = common.concat();
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), data].concat());
        let fields = [b"PK\x01\x02\x14\x00", &common[..], &[0; 10], &offset, name.as_bytes()];
        directory.extend(fields.concat());
    }
    let count = (files.len() as u16).to_le_bytes();
    let (at, len) = ((out.len() as u32).to_le_bytes(), (directory.len() as u32).to_le_bytes());
    out.extend(directory);
    out.extend([b"PK\x05\x06\0\0\0\0", &count[..], &count, &len, &at, &[0; 2]].concat());
    out
}

/// An `.npy` file of version 1 with this dictionary.
fn npy(dict: &str, data: &[u8]) -> Vec<u8> {
    [b"\x93NUMPY\x01\x00", &(dict.len() as u16).to_le_bytes()[..], dict.as_bytes(), data].concat()
}

fn one_array(npy: &[u8]) -> Result<(), Error> {
    read_all(&archive(&[("x.npy", npy)], None, None))
}

fn shaped(shape: &str, data: &[u8]) -> Result<(), Error> {
    let dict = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
    one_array(&npy(&dict, data))
}

#[test]
fn the_archive_writer_of_these_tests_is_sound() {
    let bytes = archive(&[("x.npy", &npy(GOOD, &1.5f64.to_le_bytes()))], None, None);
    let x = Npz::from_bytes(bytes).unwrap().get("x", &Device::Cpu).unwrap();
    assert_eq!(x.to_vec1::<f64>().unwrap(), [1.5]);
    read_all(&archive(&[], None, None)).unwrap();
}

const GOOD: &str = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }";

#[test]
fn a_shape_must_account_for_exactly_the_bytes_there_are() {
    shaped("(2,)", &[0; 16]).unwrap();
    shaped("()", &[0; 8]).unwrap();
    shaped("(3, 0)", &[]).unwrap();
    for shape in [
        "(1,)",
        "(3,)",
        "()",
        "(0,)",
        "(1099511627776,)",               // 8 TiB
        "(2305843009213693952,)",         // 2^61: the byte count wraps to 0
        "(2305843009213693954,)",         // 2^61 + 2: wraps to 16
        "(4294967296, 4294967296, 2)",    // the element count wraps
        "(4611686018427387904, 4, 0, 2)", // empty, but the strides wrap
    ] {
        assert!(matches!(shaped(shape, &[0; 16]), Err(Error::SizeMismatch { .. })), "{shape}");
    }
    for shape in ["(0, 4611686018427387904, 4)", "(4611686018427387904, 4, 0)"] {
        assert!(matches!(shaped(shape, &[]), Err(Error::SizeMismatch { .. })), "{shape}");
    }
}

#[test]
fn headers_that_are_not_numpy_s() {
    let axes = format!("({})", "1,".repeat(65));
    for shape in ["(-1,)", "(1e3,)", "(1.0,)", "(99999999999999999999,)", "[1]", "1", "(", &axes] {
        assert!(matches!(shaped(shape, &[0; 8]), Err(Error::NpyHeader { .. })), "{shape}");
    }
    for dict in [
        "",
        "{}",
        "{'descr': '<f8'}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), } {}",
        "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': Perhaps, 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "[[[[[[[[[[[[",
        "(((((((((((((",
    ] {
        let read = one_array(&npy(dict, &[0; 8]));
        assert!(matches!(read, Err(Error::NpyHeader { .. })), "{dict}: {read:?}");
    }
    let deep = format!("{{'descr': {}, 'fortran_order': False}}", "[".repeat(60_000));
    assert!(matches!(one_array(&npy(&deep, &[])), Err(Error::NpyHeader { .. })));
    for file in [
        &b""[..],
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff",
        b"\x93NUMPX\x01\x00\x02\x00{}",
        b"\x93NUMPY\x09\x00\x02\x00{}  ",
        b"\x93NUMPY\x01\x00\xff\xff{}",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}", // a header of 4 GiB
        b"\x93NUMPY\x01\x00\x02\x00\xff\xff",
    ] {
        assert!(matches!(one_array(file), Err(Error::NpyHeader { .. })), "{file:?}");
    }
}

#[test]
fn python_objects_and_false_bools_are_refused() {
    let object = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }";
    let pickle = b"cos\nsystem\n(S'true'\ntR.";
    let read = one_array(&npy(object, pickle));
    assert!(matches!(read, Err(Error::UnsupportedType { .. })));
    let flags = "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }";
    one_array(&npy(flags, &[0, 1])).unwrap();
    assert!(matches!(one_array(&npy(flags, &[0, 2])), Err(Error::UnsupportedType { .. })));
}

#[test]
fn archives_that_lie_about_sizes_and_places() {
    let x = npy(GOOD, &[0; 8]);
    let is_archive_error = |bytes: Vec<u8>| matches!(read_all(&bytes), Err(Error::Archive { .. }));
    assert!(is_archive_error(archive(&[("x.npy", &x)], Some(u32::MAX), None)));
    assert!(is_archive_error(archive(&[("x.npy", &x)], Some(1 << 30), None)));
    assert!(is_archive_error(archive(&[("x.npy", &x)], None, Some(u32::MAX))));
    assert!(is_archive_error(archive(&[("x.npy", &x)], None, Some(7))));
    // The first entry claims part of the second one, too: its checksum is of other bytes.
    let both = archive(&[("x.npy", &x), ("y.npy", &x)], Some(2 * x.len() as u32), None);
    assert!(matches!(read_all(&both), Err(Error::Crc { .. })));
    let twice = archive(&[("x.npy", &x), ("x.npy", &x)], None, None);
    assert!(matches!(read_all(&twice), Err(Error::DuplicateName { what: "array", .. })));
    // More entries promised than there are.
    let mut many = archive(&[("x.npy", &x)], None, None);
    let end = many.len() - 22;
    many[end + 8..end + 12].copy_from_slice(&[0xfe, 0xff, 0xfe, 0xff]);
    assert!(is_archive_error(many));
}

#[test]
fn one_entry_listed_many_times_does_not_multiply_the_work() {
    // A directory of 60,000 entries that all point at the same data: a quine-like ZIP bomb.
    let x = npy(GOOD, &[0; 8]);
    let mut bytes = archive(&[("x.npy", &x)], None, None);
    let directory = 30 + 5 + x.len();
    let entry = bytes[directory..bytes.len() - 22].to_vec();
    bytes.truncate(directory);
    let count = 60_000u16;
    for _ in 0..count {
        bytes.extend(&entry);
    }
    let len = u32::from(count) * entry.len() as u32;
    let (count, directory) = (count.to_le_bytes(), (directory as u32).to_le_bytes());
    bytes.extend(
        [b"PK\x05\x06\0\0\0\0", &count[..], &count, &len.to_le_bytes(), &directory, &[0; 2]]
            .concat(),
    );
    assert!(matches!(read_all(&bytes), Err(Error::Archive { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn changed_archives_do_not_panic(
        changes in prop::collection::vec((0..NUMPY.len(), any::<u8>()), 1..6)
    ) {
        let mut bytes = NUMPY.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let _ = read_all(&bytes);
    }

    #[test]
    fn changed_headers_with_a_right_checksum_do_not_panic(
        changes in prop::collection::vec((0usize..90, any::<u8>()), 1..6), cut in 0usize..90
    ) {
        let mut file = npy(GOOD, &[0; 16]);
        for (at, byte) in changes {
            let at = at % file.len();
            file[at] = byte;
        }
        let _ = one_array(&file);
        let _ = one_array(&file[..cut.min(file.len())]);
    }

    #[test]
    fn any_dictionary_does_not_panic(
        dict in r"\{('(descr|shape|fortran_order)'|[\[\](){}:, ']|[0-9]{1,20}|'<f8'|True|False){0,24}\}?"
    ) {
        let _ = one_array(&npy(&dict, &[0; 8]));
    }

    #[test]
    fn any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read_all(&bytes).is_err());
        let _ = Table::from_bytes(&bytes);
    }

    #[test]
    fn changed_tables_do_not_panic(
        changes in prop::collection::vec((0..CSV.len(), any::<u8>()), 1..6)
    ) {
        let mut bytes = CSV.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        if let Ok(table) = Table::from_bytes(&bytes) {
            for name in table.names() {
                let column = table.column(name).unwrap();
                prop_assert_eq!(column.len(), table.rows());
                prop_assert!(column.iter().all(|x| x.is_finite()));
            }
        }
    }

    #[test]
    fn written_numbers_are_read_back_exactly(
        rows in prop::collection::vec(prop::array::uniform3(-1e300..1e300f64), 1..20)
    ) {
        let lines: Vec<_> = rows.iter().map(|[a, b, c]| format!("{a},{b:e},\"{c}\"\n")).collect();
        let text = format!("a,b,c\n{}", lines.concat());
        let table = Table::from_bytes(text.as_bytes()).unwrap();
        for (i, name) in ["a", "b", "c"].into_iter().enumerate() {
            let written: Vec<f64> = rows.iter().map(|row| row[i]).collect();
            prop_assert_eq!(table.column(name).unwrap(), written);
        }
    }
}
