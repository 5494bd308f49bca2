//! The JSON record of one paper; the atlas of the book is generated from these.
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Claim, Verdict};
use crate::Error;

/// The size of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// Chosen for an ordinary machine.
    Small,
    /// The paper's.
    Full,
}

/// What came of one paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Short name of the paper.
    pub slug: String,
    /// Title of the paper.
    pub title: String,
    /// Size of the run.
    pub size: Size,
    /// Wall time, in seconds.
    pub seconds: f64,
    /// Every claim that was measured.
    pub claims: Vec<Claim>,
    /// File names of the plots, beside the record.
    pub plots: Vec<String>,
    /// What stopped the run, if anything did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Record {
    /// Whether the run came to its end, some verdict holds, and none fails.
    pub fn holds(&self) -> bool {
        let some = |verdict| self.claims.iter().any(|claim| claim.verdict == verdict);
        self.error.is_none() && some(Verdict::Holds) && !some(Verdict::Fails)
    }

    /// Writes `SLUG.json` into the folder, whole or not at all; returns its path.
    ///
    /// # Errors
    /// [`Error::File`] if the folder cannot be made or written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, Error> {
        let path = folder.join(format!("{}.json", self.slug));
        let text = serde_json::to_string_pretty(self)? + "\n";
        // A new file that takes the place of the old one: a reader never sees half a record.
        let write = || {
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|source| Error::File { path: path.clone(), source })?;
        Ok(path)
    }

    /// The claims for reading.
    pub fn table(&self) -> String {
        let mut lines = vec![format!("{}: {}", self.slug, self.title)];
        for Claim { claim, published, source, measured, verdict } in &self.claims {
            let verdict = match verdict {
                Verdict::Holds => "holds",
                Verdict::Fails => "FAILS",
                Verdict::Incomparable => "  —  ",
            };
            lines.push(format!("  {verdict}  {claim}"));
            lines.push(format!("         published  {published} ({source})"));
            lines.push(format!("         measured   {measured}"));
        }
        if let Some(error) = &self.error {
            lines.push(format!("  FAILS  stopped: {error}"));
        } else if self.claims.is_empty() {
            lines.push("  FAILS  nothing was measured".into());
        }
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(verdict: Verdict) -> Claim {
        let text = |s: &str| s.to_owned();
        Claim {
            claim: text("it works"),
            published: text("2.0"),
            source: text("table 1"),
            measured: text("1.9"),
            verdict,
        }
    }

    fn record(claims: Vec<Claim>, error: Option<&str>) -> Record {
        Record {
            slug: "paper".into(),
            title: "A Paper".into(),
            size: Size::Small,
            seconds: 1.5,
            claims,
            plots: vec!["paper.svg".into()],
            error: error.map(str::to_owned),
        }
    }

    #[test]
    fn a_record_holds_only_if_everything_does() {
        let (holds, fails) = (claim(Verdict::Holds), claim(Verdict::Fails));
        assert!(record(vec![holds.clone()], None).holds());
        assert!(!record(vec![holds.clone(), fails], None).holds());
        assert!(!record(vec![holds], Some("no memory")).holds());
        assert!(!record(vec![], None).holds(), "nothing measured is not a success");
        let other = claim(Verdict::Incomparable);
        assert!(record(vec![claim(Verdict::Holds), other.clone()], None).holds());
        assert!(!record(vec![claim(Verdict::Fails), other.clone()], None).holds());
        assert!(!record(vec![other], None).holds(), "nothing judged is not a success");
    }

    #[test]
    fn what_is_no_number_does_not_hold() {
        let error = -(f64::INFINITY - f64::INFINITY).abs();
        assert_eq!(Verdict::holds_if(error < 1.0), Verdict::Fails);
    }

    #[test]
    fn a_record_is_replaced_whole_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("reproduce");
        record(vec![claim(Verdict::Fails)], None).write(&place).unwrap();
        let new = record(vec![claim(Verdict::Holds)], None);
        let path = new.write(&place).unwrap();
        let read = std::fs::read_to_string(path).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&read).unwrap(), new);
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let result = record(vec![], None).write(&file.path().join("below"));
        assert!(matches!(result, Err(Error::File { .. })));
    }

    #[test]
    fn the_table_names_both_figures_and_the_verdict() {
        let text = record(vec![claim(Verdict::Fails)], None).table();
        for part in ["FAILS  it works", "2.0 (table 1)", "measured   1.9"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
