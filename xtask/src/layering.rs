//! Dependencies between the crates run one way only.
use crate::workspace::Package;

/// From the bottom to the top: a crate may depend on ranks before its own, not on its own.
const RANKS: &[&[&str]] = &[
    &["ansatz-ops"],
    &["ansatz-core"],
    &["ansatz-linalg", "ansatz-nn"],
    &["ansatz-ode"],
    &["ansatz-sde", "ansatz-graph", "ansatz-operators", "ansatz-pinn", "ansatz-data"],
    &["ansatz-diffusion", "ansatz-bridge"],
    &["ansatz"],
];

fn rank(name: &str) -> Option<usize> {
    RANKS.iter().position(|crates| crates.contains(&name))
}

/// Every dependency that points upwards or sideways, and every crate without a rank.
pub(crate) fn complaints<'a>(crates: impl Iterator<Item = &'a Package>) -> Vec<String> {
    crates.flat_map(complaints_of).collect()
}

fn complaints_of(package: &Package) -> Vec<String> {
    let name = &package.name;
    let mut complaints = Vec::new();
    if package.folder.file_name().is_none_or(|folder| folder != name.as_str()) {
        complaints.push(format!("{name}: its folder must have the name of the package"));
    }
    let Some(own) = rank(name) else {
        complaints.push(format!(
            "{name}: has no rank; add it to RANKS in xtask/src/layering.rs where it belongs"
        ));
        return complaints;
    };
    for dependency in package.shipped_dependencies() {
        let other = &dependency.name;
        let ours = other == "ansatz" || other.starts_with("ansatz-");
        match rank(other) {
            Some(theirs) if theirs < own => {}
            Some(theirs) => complaints.push(format!(
                "{name} (rank {own}) depends on {other} (rank {theirs}); only lower ranks are allowed"
            )),
            None if ours => {
                complaints.push(format!("{name} depends on {other}, which no crate may depend on"));
            }
            None => {}
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Dependency, Kind, Workspace};

    fn package(name: &str, dependencies: &[(&str, Kind)]) -> Package {
        let dependencies = dependencies.iter().map(|&(name, kind)| Dependency {
            name: name.into(),
            kind,
            optional: false,
            unusual_source: None,
        });
        Package {
            name: name.into(),
            folder: format!("crates/{name}").into(),
            dependencies: dependencies.collect(),
            ..Package::default()
        }
    }

    fn count(package: &Package) -> usize {
        complaints(std::iter::once(package)).len()
    }

    #[test]
    fn downwards_is_allowed() {
        let dependencies =
            [("ansatz-core", Kind::Normal), ("ansatz-ops", Kind::Build), ("rayon", Kind::Normal)];
        assert_eq!(count(&package("ansatz-ode", &dependencies)), 0);
    }

    #[test]
    fn upwards_sideways_and_outside_are_not() {
        assert_eq!(count(&package("ansatz-core", &[("ansatz-ode", Kind::Normal)])), 1);
        assert_eq!(count(&package("ansatz-core", &[("ansatz-ode", Kind::Build)])), 1);
        assert_eq!(count(&package("ansatz-nn", &[("ansatz-linalg", Kind::Normal)])), 1);
        assert_eq!(count(&package("ansatz-ode", &[("ansatz", Kind::Normal)])), 1);
        assert_eq!(count(&package("ansatz", &[("ansatz-workflows", Kind::Normal)])), 1);
    }

    #[test]
    fn tests_may_look_anywhere() {
        assert_eq!(count(&package("ansatz-core", &[("ansatz-ode", Kind::Dev)])), 0);
    }

    #[test]
    fn unknown_crates_and_misnamed_folders_are_reported() {
        assert_eq!(count(&package("ansatz-alchemy", &[])), 1);
        let misnamed = Package { folder: "crates/ode".into(), ..package("ansatz-ode", &[]) };
        assert_eq!(count(&misnamed), 1);
    }

    #[test]
    fn this_workspace_is_layered() {
        let workspace = Workspace::load().unwrap();
        assert_eq!(complaints(workspace.crates()), Vec::<String>::new());
    }
}
