//! Do the feature combinations compile, without a lint, that people will choose?
use crate::Result;
use crate::forwarding::BACKENDS;
use crate::shell;
use crate::workspace::{Package, Workspace};

/// Crates that promise to build without candle (design: a solver for `[f64; 3]` needs no tensors).
const WITHOUT_CANDLE: [&str; 3] = ["ansatz-core", "ansatz-linalg", "ansatz-ode"];
/// For clippy: warnings are errors.
const STRICT: [&str; 3] = ["--", "-D", "warnings"];

/// Lints each combination; stops at the first that fails.
pub(crate) fn check(workspace: &Workspace) -> Result {
    if shell::cargo_tool("hack").is_some() {
        return shell::run(&mut shell::cargo(&workspace.root, hack_arguments(workspace)));
    }
    println!("  cargo-hack is not installed: checking the combinations one by one");
    for arguments in workspace.crates().flat_map(combinations) {
        let mut clippy = shell::cargo(&workspace.root, ["clippy", "--quiet"]);
        shell::run(clippy.args(arguments).args(STRICT))?;
    }
    Ok(())
}

/// No feature, the defaults, and each feature alone, for every crate under `crates/`. Backend
/// features need hardware libraries (`check-gpu` looks after two of them).
fn hack_arguments(workspace: &Workspace) -> Vec<String> {
    let mut words: Vec<String> = ["hack", "clippy", "--quiet"].map(String::from).to_vec();
    words.extend(workspace.crates().flat_map(|p| ["--package".into(), p.name.clone()]));
    words.extend(
        ["--each-feature", "--exclude-all-features", "--exclude-features"].map(String::from),
    );
    words.push(BACKENDS.join(","));
    words.extend(STRICT.map(String::from));
    words
}

/// The same combinations as arguments of cargo, without repetitions.
fn combinations(package: &Package) -> Vec<Vec<String>> {
    let base = ["--package".to_owned(), package.name.clone()];
    let mut sets = vec![base.to_vec()];
    let alone = |feature: Option<&str>| {
        let mut words = base.to_vec();
        words.push("--no-default-features".into());
        words.extend(feature.into_iter().flat_map(|f| ["--features".into(), f.into()]));
        words
    };
    let has_default = package.features.get("default").is_some_and(|enables| !enables.is_empty());
    if has_default || WITHOUT_CANDLE.contains(&package.name.as_str()) {
        sets.push(alone(None));
    }
    for feature in package.features.keys() {
        if feature != "default" && !BACKENDS.contains(&feature.as_str()) {
            sets.push(alone(Some(feature)));
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, features: &[(&str, &[&str])]) -> Package {
        let features = features.iter().map(|(name, enables)| {
            ((*name).to_owned(), enables.iter().map(|e| (*e).to_owned()).collect())
        });
        Package { name: name.into(), features: features.collect(), ..Package::default() }
    }

    fn lines(package: &Package) -> Vec<String> {
        combinations(package).iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn the_facade_is_checked_with_each_crate_alone() {
        let features: &[(&str, &[&str])] = &[("default", &["nn"]), ("nn", &[]), ("cuda", &[])];
        let expected = [
            "--package ansatz",
            "--package ansatz --no-default-features",
            "--package ansatz --no-default-features --features nn",
        ];
        assert_eq!(lines(&package("ansatz", features)), expected);
    }

    #[test]
    fn a_crate_without_features_is_checked_once() {
        let features: &[(&str, &[&str])] = &[("default", &[]), ("cuda", &[]), ("mkl", &[])];
        assert_eq!(lines(&package("ansatz-nn", features)), ["--package ansatz-nn"]);
    }

    #[test]
    fn core_and_ode_are_checked_without_candle() {
        let workspace = Workspace::load().unwrap();
        for name in ["ansatz-core", "ansatz-ode"] {
            let package = workspace.crates().find(|p| p.name == name).unwrap();
            let bare = format!("--package {name} --no-default-features");
            assert!(lines(package).contains(&bare));
        }
    }
}
