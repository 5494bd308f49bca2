//! Every crate forwards the backend features to everything below it that has them.
use crate::workspace::{Dependency, Package};

/// Features of candle that choose a backend or a BLAS.
pub(crate) const BACKENDS: [&str; 4] = ["cuda", "metal", "accelerate", "mkl"];

/// Every crate that drops a backend feature on the way down.
pub(crate) fn complaints<'a>(crates: impl Iterator<Item = &'a Package>) -> Vec<String> {
    crates.flat_map(complaints_of).collect()
}

fn complaints_of(package: &Package) -> Vec<String> {
    let name = &package.name;
    let mut complaints = Vec::new();
    for backend in BACKENDS {
        let Some(enables) = package.features.get(backend) else {
            complaints.push(format!("{name}: has no feature `{backend}`"));
            continue;
        };
        for dependency in package.shipped_dependencies().filter(|d| takes_backends(d)) {
            complaints.extend(missing(package, backend, enables, dependency));
        }
    }
    complaints
}

/// candle-nn counts like candle-core: it has Metal kernels of its own, which go missing at run time
/// when its feature is off.
fn takes_backends(dependency: &Dependency) -> bool {
    let name = dependency.name.as_str();
    matches!(name, "candle-core" | "candle-nn" | "ansatz") || name.starts_with("ansatz-")
}

fn missing(
    package: &Package,
    backend: &str,
    enables: &[String],
    dependency: &Dependency,
) -> Option<String> {
    let (name, other) = (&package.name, &dependency.name);
    let strong = format!("{other}/{backend}");
    let weak = format!("{other}?/{backend}");
    if enables.contains(&weak) {
        return None;
    }
    if !enables.contains(&strong) {
        return Some(format!("{name}: feature `{backend}` does not forward to `{strong}`"));
    }
    // `dep/feature` switches an optional dependency on. That is right only when the feature says
    // so itself by naming the local feature that brings the dependency.
    let switch = format!("dep:{other}");
    let brought = enables
        .iter()
        .filter_map(|local| package.features.get(local))
        .any(|enables| enables.contains(&switch));
    (dependency.optional && !brought)
        .then(|| format!("{name}: feature `{backend}` switches {other} on; write `{weak}` instead"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Kind, Workspace};

    /// A crate on candle and ansatz-core that forwards everything.
    fn sound() -> Package {
        let names = ["candle-core", "candle-nn", "ansatz-core", "thiserror"];
        let dependencies = names.map(|name| Dependency {
            name: name.into(),
            kind: Kind::Normal,
            optional: false,
            unusual_source: None,
        });
        let features = BACKENDS.map(|backend| {
            let enables = ["candle-core", "candle-nn", "ansatz-core"];
            (backend.to_owned(), enables.map(|other| format!("{other}/{backend}")).to_vec())
        });
        Package {
            name: "ansatz-nn".into(),
            dependencies: dependencies.to_vec(),
            features: features.into(),
            ..Package::default()
        }
    }

    fn of(package: &Package) -> Vec<String> {
        complaints(std::iter::once(package))
    }

    #[test]
    fn a_sound_manifest_passes() {
        assert_eq!(of(&sound()), Vec::<String>::new());
    }

    #[test]
    fn each_dropped_entry_is_one_complaint() {
        for backend in BACKENDS {
            for other in ["candle-core", "candle-nn", "ansatz-core"] {
                let mut package = sound();
                let entry = format!("{other}/{backend}");
                package.features.get_mut(backend).unwrap().retain(|e| *e != entry);
                let complaints = of(&package);
                assert_eq!(complaints.len(), 1, "{complaints:?}");
                assert!(complaints[0].contains(&entry), "{complaints:?}");
            }
        }
    }

    #[test]
    fn a_missing_feature_is_reported() {
        let mut package = sound();
        package.features.remove("metal");
        assert_eq!(of(&package).len(), 1);
    }

    #[test]
    fn an_optional_dependency_is_not_switched_on_by_accident() {
        let mut package = sound();
        package.dependencies[2].optional = true;
        assert_eq!(of(&package).len(), BACKENDS.len());

        // Weak forwarding is one remedy …
        let mut weak = package.clone();
        for (backend, enables) in &mut weak.features {
            enables[2] = format!("ansatz-core?/{backend}");
        }
        assert_eq!(of(&weak), Vec::<String>::new());

        // … naming the feature that brings the dependency is the other.
        for enables in package.features.values_mut() {
            enables.push("core".into());
        }
        package.features.insert("core".into(), vec!["dep:ansatz-core".into()]);
        assert_eq!(of(&package), Vec::<String>::new());
    }

    #[test]
    fn this_workspace_forwards() {
        let workspace = Workspace::load().unwrap();
        assert_eq!(complaints(workspace.crates()), Vec::<String>::new());
    }
}
