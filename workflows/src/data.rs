//! What `cargo xtask data` prints.
use ansatz::data::{DataDir, Dataset, Error, Result, Verdict, verify_all};

/// The folder, or that none is set.
pub fn folder(dir: &DataDir) -> String {
    dir.folder().map_or_else(
        || format!("not set (set {} to an absolute path)", DataDir::VARIABLE),
        |folder| folder.display().to_string(),
    )
}

/// One line for each data set: name, format, where it is, title, licence.
pub fn listing(dir: &DataDir) -> Vec<String> {
    let line = |d: &Dataset| {
        let place = match (d.is_bundled(), d.is_available(dir)) {
            (true, _) => "bundled",
            (false, true) => "here",
            (false, false) => "absent",
        };
        format!("{:<24}{:<6}{place:<9}{} [{}]", d.name, d.format.to_string(), d.title, d.licence)
    };
    Dataset::all().map(line).collect()
}

/// What verifying came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// One line for each data set.
    pub lines: Vec<String>,
    /// Files whose bytes are the published ones.
    pub intact: usize,
    /// Files that are absent: not an error, data sets are fetched one by one.
    pub absent: usize,
    /// Files that are damaged, another version, or cannot be read.
    pub bad: usize,
}

/// Compares every file with its published checksum.
pub fn verify(dir: &DataDir) -> Verification {
    summary(verify_all(dir))
}

fn summary(verdicts: Vec<(&'static Dataset, Result<Verdict, Error>)>) -> Verification {
    let mut result = Verification { lines: vec![], intact: 0, absent: 0, bad: 0 };
    for (dataset, verdict) in verdicts {
        let (count, what) = match verdict {
            Ok(Verdict::Ok) => (&mut result.intact, "intact".to_owned()),
            Ok(Verdict::Absent) => (&mut result.absent, "absent".to_owned()),
            Ok(Verdict::Mismatch { got }) => {
                (&mut result.bad, format!("BAD: SHA-256 {got}, expected {}", dataset.sha256))
            }
            Err(error) => (&mut result.bad, format!("BAD: {error}")),
        };
        *count += 1;
        result.lines.push(format!("{:<24}{what}", dataset.name));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_files_are_counted_apart_from_bad_ones() {
        let empty = tempfile::tempdir().unwrap();
        let bundled = Dataset::all().filter(|d| d.is_bundled()).count();
        let dir = DataDir::new(empty.path());
        let result = verify(&dir);
        assert_eq!((result.intact, result.bad), (bundled, 0));
        assert_eq!(result.absent, Dataset::all().count() - bundled);

        let other = Dataset::all().find(|d| !d.is_bundled()).unwrap();
        std::fs::write(empty.path().join(other.file), "damaged").unwrap();
        let damaged = verify(&dir);
        assert_eq!((damaged.bad, damaged.absent), (1, result.absent - 1));
        assert!(damaged.lines.iter().any(|l| l.starts_with(other.name) && l.contains("BAD")));
    }

    #[test]
    fn every_data_set_is_listed_with_its_place() {
        let lines = listing(&DataDir::bundled_only());
        assert_eq!(lines.len(), Dataset::all().count());
        for (line, dataset) in lines.iter().zip(Dataset::all()) {
            let place = if dataset.is_bundled() { "bundled" } else { "absent" };
            assert!(line.contains(place) && line.starts_with(dataset.name), "{line}");
        }
    }
}
