//! Choosing entries, running them, writing their records.
use std::path::Path;
use std::time::Instant;

use super::{Context, Entry, Record, Size};
use crate::Error;

/// What the command line asks for.
#[derive(Debug, Clone, Copy)]
pub enum Selection<'a> {
    /// Every entry.
    All,
    /// These slugs.
    Slugs(&'a [String]),
}

/// The entries that are meant, in the order of `entries`.
///
/// # Errors
/// [`Error::Unknown`] for a slug that no entry has; it lists those there are.
pub fn select<'a>(
    entries: &'a [Box<dyn Entry>],
    selection: Selection,
) -> Result<Vec<&'a dyn Entry>, Error> {
    let Selection::Slugs(slugs) = selection else {
        return Ok(entries.iter().map(Box::as_ref).collect());
    };
    if let Some(name) = slugs.iter().find(|slug| !entries.iter().any(|e| e.slug() == **slug)) {
        let known: Vec<&str> = entries.iter().map(|e| e.slug()).collect();
        return Err(Error::Unknown { what: "slug", name: name.clone(), known: known.join(", ") });
    }
    let wanted = |e: &&dyn Entry| slugs.iter().any(|slug| e.slug() == slug);
    Ok(entries.iter().map(Box::as_ref).filter(wanted).collect())
}

/// One line for each entry, slug and title.
pub fn listing(entries: &[Box<dyn Entry>]) -> String {
    let lines: Vec<String> =
        entries.iter().map(|e| format!("{:<24}{}", e.slug(), e.title())).collect();
    lines.join("\n")
}

/// Runs one entry and writes its record into `folder`. A run that stops is recorded too.
///
/// # Errors
/// [`Error::File`] if the folder cannot be written.
pub fn run(entry: &dyn Entry, full: bool, folder: &Path) -> Result<Record, Error> {
    std::fs::create_dir_all(folder)
        .map_err(|source| Error::File { path: folder.to_path_buf(), source })?;
    let context = Context::new(full, folder.to_path_buf());
    let start = Instant::now();
    let (claims, error) = match entry.run(&context) {
        Ok(claims) => (claims, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let drawn = context.plots().into_iter().filter(|plot| plot.is_file());
    let names = drawn.filter_map(|plot| Some(plot.file_name()?.to_string_lossy().into_owned()));
    let record = Record {
        slug: entry.slug().into(),
        title: entry.title().into(),
        size: if full { Size::Full } else { Size::Small },
        seconds: (start.elapsed().as_secs_f64() * 10.0).round() / 10.0,
        claims,
        plots: names.collect(),
        error,
    };
    record.write(folder)?;
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AnyError;
    use crate::reproduce::{Claim, Verdict};

    struct Paper(&'static str, Result<Verdict, &'static str>);

    impl Entry for Paper {
        fn slug(&self) -> &'static str {
            self.0
        }

        fn title(&self) -> &'static str {
            "A Paper"
        }

        fn run(&self, context: &Context) -> Result<Vec<Claim>, AnyError> {
            let verdict = self.1?;
            std::fs::write(context.plot("drawn.svg"), "<svg/>")?;
            context.plot("not-drawn.svg");
            let measured = if context.full() { "full" } else { "small" };
            let text = String::new;
            Ok(vec![Claim {
                claim: text(),
                published: text(),
                source: text(),
                measured: measured.into(),
                verdict,
            }])
        }
    }

    fn papers() -> Vec<Box<dyn Entry>> {
        vec![
            Box::new(Paper("good", Ok(Verdict::Holds))),
            Box::new(Paper("bad", Ok(Verdict::Fails))),
            Box::new(Paper("broken", Err("no memory"))),
        ]
    }

    #[test]
    fn a_verdict_and_an_error_end_in_the_record() {
        let folder = tempfile::tempdir().unwrap();
        let records: Vec<Record> =
            papers().iter().map(|e| run(e.as_ref(), true, folder.path()).unwrap()).collect();
        assert_eq!(records.iter().map(Record::holds).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(records[2].error.as_deref(), Some("no memory"));
        assert_eq!((records[0].size, records[0].claims[0].measured.as_str()), (Size::Full, "full"));
        for slug in ["good", "bad", "broken"] {
            assert!(folder.path().join(format!("{slug}.json")).is_file());
        }
    }

    #[test]
    fn only_plots_that_exist_are_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let record = run(papers()[0].as_ref(), false, folder.path()).unwrap();
        assert_eq!(record.plots, ["drawn.svg"]);
    }

    #[test]
    fn slugs_are_chosen_and_unknown_ones_refused() {
        let papers = papers();
        let slugs = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(select(&papers, Selection::All).unwrap().len(), 3);
        let chosen = slugs(&["bad"]);
        assert_eq!(select(&papers, Selection::Slugs(&chosen)).unwrap()[0].slug(), "bad");
        let wrong = slugs(&["good", "god"]);
        let Err(Error::Unknown { name, known, .. }) = select(&papers, Selection::Slugs(&wrong))
        else {
            panic!("an unknown slug was accepted");
        };
        assert_eq!((name.as_str(), known.as_str()), ("god", "good, bad, broken"));
    }
}
