//! A neural differential equation saved to a file and trained on from it.

use std::path::PathBuf;

use ansatz::nn::{Checkpoint, Error};
use ansatz_tests::History;
use candle_core::DType;

use crate::{Checked, training::Trainee};

/// A file name of its own in the folder that cargo keeps for tests.
pub(crate) fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{name}-{}.safetensors", std::process::id()))
}

#[test]
fn training_continues_to_the_bit() -> Checked {
    for dtype in [DType::F64, DType::F32] {
        let history = History::default();
        let mut whole = Trainee::new(20, dtype);
        let all = whole.train(0..10, &history);

        let mut first = Trainee::new(20, dtype);
        let mut halves = first.train(0..6, &history);
        let path = file("resume");
        Checkpoint::new(&first.parameters)?.optimizer(&first.adam)?.step(6).save(&path)?;

        // Another start, so that everything has to come from the file.
        let mut second = Trainee::new(21, dtype);
        assert_ne!(second.bits(), first.bits());
        let checkpoint = Checkpoint::load(&path)?;
        checkpoint.restore_with(&second.parameters, &mut second.adam)?;
        assert_eq!(second.bits(), first.bits());
        halves.extend(second.train(checkpoint.steps_done()..10, &history));
        assert_eq!(halves, all);
        assert_eq!(second.bits(), whole.bits());

        // Without the state of the optimiser it would be another training.
        let mut third = Trainee::new(21, dtype);
        checkpoint.restore(&third.parameters)?;
        third.train(6..10, &history);
        assert_ne!(third.bits(), whole.bits());
        std::fs::remove_file(&path)?;
    }
    Ok(())
}

/// Every cut and many flipped bits are noticed, and the model stays as it was.
#[test]
fn damaged_files_change_nothing() -> Checked {
    let trainee = Trainee::new(22, DType::F32);
    let before = trainee.bits();
    let path = file("damaged");
    Checkpoint::new(&trainee.parameters)?.optimizer(&trainee.adam)?.save(&path)?;
    let bytes = std::fs::read(&path)?;
    let mut refused = 0;
    let mut damaged = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        match Checkpoint::load(&path) {
            Err(Error::Corrupt { .. }) => refused += 1,
            other => panic!("{other:?} of {} bytes", bytes.len()),
        }
    };
    let cuts: Vec<usize> = (0..bytes.len()).step_by(bytes.len() / 40).collect();
    for &cut in &cuts {
        damaged(&bytes[..cut]);
    }
    damaged(&[&bytes[..], b"x"].concat());
    for &at in &cuts {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x20;
        damaged(&flipped);
    }
    assert_eq!(refused, 2 * cuts.len() + 1);
    assert_eq!(trainee.bits(), before);

    // A model of another dtype refuses a good file.
    std::fs::write(&path, &bytes)?;
    let other = Trainee::new(22, DType::F64);
    let before = other.bits();
    assert!(matches!(
        Checkpoint::load(&path)?.restore(&other.parameters),
        Err(Error::Mismatch { .. })
    ));
    assert_eq!(other.bits(), before);
    std::fs::remove_file(&path)?;
    Ok(())
}
