//! Which variants the command line means.
use std::collections::BTreeSet;

use super::Variant;
use crate::Error;

/// The variants that the names mean, in the order of `all`: `O1` means every `O1` and `O1.…`,
/// `O1.end` itself alone, no name means all. Case does not matter.
///
/// # Errors
/// [`Error::Unknown`] for a name that means none.
pub fn select(all: &[Variant], names: &[String]) -> Result<Vec<Variant>, Error> {
    if let Some(name) = names.iter().find(|name| !all.iter().any(|v| means(name, v))) {
        let known: BTreeSet<&str> = all.iter().map(|v| v.workload).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Error::Unknown { what: "workload", name: name.clone(), known });
    }
    let wanted = |v: &&Variant| names.is_empty() || names.iter().any(|name| means(name, v));
    Ok(all.iter().filter(wanted).copied().collect())
}

fn means(name: &str, variant: &Variant) -> bool {
    let family = variant.workload.split('.').next().unwrap_or_default();
    name.eq_ignore_ascii_case(variant.workload) || name.eq_ignore_ascii_case(family)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(workload: &'static str, method: &'static str) -> Variant {
        Variant { workload, library: "ansatz", method, run: |_| Err("not run here".into()) }
    }

    fn ids(names: &[&str]) -> Result<Vec<String>, Error> {
        let all = [variant("O1.end", "Tsit5"), variant("O1.save1000", ""), variant("O3", "")];
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        Ok(select(&all, &names)?.iter().map(Variant::id).collect())
    }

    #[test]
    fn a_family_a_workload_or_all() {
        let all = ["O1.end/ansatz-Tsit5", "O1.save1000/ansatz", "O3/ansatz"];
        assert_eq!(ids(&[]).unwrap(), all);
        assert_eq!(ids(&["o1"]).unwrap(), all[..2]);
        assert_eq!(ids(&["O3", "O1.END"]).unwrap(), [all[0], all[2]]);
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let Err(Error::Unknown { name, known, .. }) = ids(&["O1", "O9"]) else {
            panic!("O9 was accepted");
        };
        assert_eq!((name.as_str(), known.as_str()), ("O9", "O1.end, O1.save1000, O3"));
        assert!(ids(&["O"]).is_err());
    }
}
